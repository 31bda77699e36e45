/** Copies text to the clipboard, and buttons that say whether it worked. */

import { element } from '../dom';

/** A button that copies what `text` gives; its label tells for a moment how it went. */
export function copyButton(label: string, text: () => string, className = 'button'): HTMLElement {
  const button = element('button', { class: className, type: 'button' }, label);
  const said = element('span', { class: 'visually-hidden', role: 'status' });
  let reset: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', () => {
    void copyText(text(), button).then((copied) => {
      clearTimeout(reset);
      button.textContent = copied ? 'Copied' : 'Not copied';
      said.textContent = copied ? 'Copied.' : 'It could not be copied. Select the text and copy it by hand.';
      reset = setTimeout(() => {
        button.textContent = label;
        said.textContent = '';
      }, SHOWN_FOR_MS);
    });
  });
  return element('span', { class: 'copy-button' }, button, said);
}

async function copyText(text: string, beside: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, beside);
  }
}

/** For pages served over plain HTTP, where browsers offer no clipboard object. */
function copyBySelection(text: string, beside: HTMLElement): boolean {
  const focused = document.activeElement;
  const field = element('textarea', { class: 'visually-hidden', readonly: true, 'aria-hidden': 'true' }, text);
  // Beside the button: outside of an open dialog nothing can be selected.
  beside.after(field);
  field.select();
  try {
    return document.execCommand('copy');
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}

const SHOWN_FOR_MS = 2000;
