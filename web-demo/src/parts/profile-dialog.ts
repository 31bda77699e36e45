/** The dialog in which people change how they appear to others. */

import { PALETTE, type Colour } from '../colours';
import { element } from '../dom';
import { MAX_NAME_LENGTH, parsePersonName, type Profile } from '../profile';

export interface ProfileDialog {
  readonly element: HTMLDialogElement;
  readonly open: (profile: Profile) => void;
}

export function profileDialog(onSave: (profile: Profile) => void): ProfileDialog {
  const name = element('input', { id: 'profile-name', type: 'text', maxlength: String(MAX_NAME_LENGTH), autocomplete: 'nickname', required: true });
  const colours = PALETTE.map(colourChoice);
  const cancel = element('button', { class: 'button', type: 'button' }, 'Cancel');
  const form = element(
    'form',
    { method: 'dialog' },
    element('h2', { id: 'profile-heading' }, 'How others see you'),
    element('label', { for: 'profile-name' }, 'Name'),
    name,
    element('fieldset', {}, element('legend', {}, 'Colour'), element('div', { class: 'swatches' }, ...colours.map((choice) => choice.label))),
    element('div', { class: 'dialog-actions' }, cancel, element('button', { class: 'button primary', type: 'submit' }, 'Save')),
  );
  const dialog = element('dialog', { 'aria-labelledby': 'profile-heading' }, form);
  cancel.addEventListener('click', () => dialog.close());
  let current: Profile | undefined;
  form.addEventListener('submit', (event) => {
    const chosen = parsePersonName(name.value);
    if (chosen === undefined) {
      event.preventDefault();
      name.value = '';
      name.reportValidity();
      return;
    }
    const colour = colours.find((choice) => choice.input.checked)?.input.value ?? current?.colour;
    if (colour !== undefined) onSave({ name: chosen, colour });
  });
  return {
    element: dialog,
    open: (profile) => {
      current = profile;
      name.value = profile.name;
      for (const { input } of colours) input.checked = input.value === profile.colour;
      dialog.showModal();
      name.select();
    },
  };
}

function colourChoice(colour: Colour): { readonly input: HTMLInputElement; readonly label: HTMLLabelElement } {
  const input = element('input', { type: 'radio', name: 'colour', value: colour.value, class: 'visually-hidden' });
  const patch = element('span', { class: 'swatch', title: colour.label });
  patch.style.backgroundColor = colour.value;
  return { input, label: element('label', {}, input, patch, element('span', { class: 'visually-hidden' }, colour.label)) };
}
