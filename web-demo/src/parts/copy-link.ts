/** A button that copies the address of the page. */

import { element } from '../dom';

export function copyLinkButton(): HTMLElement {
  const button = element('button', { class: 'button copy-link', type: 'button' }, LABEL);
  const said = element('span', { class: 'visually-hidden', role: 'status' });
  let reset: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', () => {
    void copy(location.href).then((copied) => {
      clearTimeout(reset);
      button.textContent = copied ? 'Copied' : 'Not copied';
      said.textContent = copied ? 'The link is copied.' : 'The link could not be copied. It is in the address bar.';
      reset = setTimeout(() => {
        button.textContent = LABEL;
        said.textContent = '';
      }, SHOWN_FOR_MS);
    });
  });
  return element('span', {}, button, said);
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** For pages served over plain HTTP, where browsers offer no clipboard object. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = element('textarea', { class: 'visually-hidden', readonly: true, 'aria-hidden': 'true' }, text);
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}

const LABEL = 'Copy link';
const SHOWN_FOR_MS = 2000;
