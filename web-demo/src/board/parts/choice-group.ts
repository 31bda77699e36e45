/** Radio buttons that look like what they choose. */

import { element } from '../../dom';

export interface ChoiceGroup {
  readonly element: HTMLElement;
  /** Checks a value; undefined checks none. */
  readonly show: (value: string | undefined) => void;
}

export interface ChoiceGroupOptions {
  readonly label: string;
  readonly values: readonly { readonly value: string; readonly label: string; readonly sample: Node }[];
  readonly onChoose: (value: string) => void;
}

export function choiceGroup({ label, values, onChoose }: ChoiceGroupOptions): ChoiceGroup {
  const name = `choice-${(groups += 1)}`;
  const inputs = values.map(({ value }) => element('input', { type: 'radio', name, value, class: 'visually-hidden' }));
  const choices = values.map((choice, at) =>
    element(
      'label',
      { class: 'choice', title: choice.label },
      inputs[at] ?? '',
      element('span', { class: 'choice-sample' }, choice.sample),
      element('span', { class: 'visually-hidden' }, choice.label),
    ),
  );
  const group = element('fieldset', { class: 'choices' }, element('legend', { class: 'visually-hidden' }, label), ...choices);
  group.addEventListener('change', (event) => {
    if (event.target instanceof HTMLInputElement) onChoose(event.target.value);
  });
  return {
    element: group,
    show: (value) => {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

let groups = 0;
