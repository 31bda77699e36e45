/** A button that opens a small panel under it. Escape, a press outside and choosing an item that closes it close it. */

import { element } from '../dom';

export interface DropDown {
  readonly element: HTMLDetailsElement;
  readonly summary: HTMLElement;
  readonly panel: HTMLElement;
  readonly close: () => void;
}

export interface DropDownOptions {
  readonly className?: string;
  readonly summary: HTMLElement;
  readonly panel: HTMLElement;
}

export function dropDown({ className = '', summary, panel }: DropDownOptions): DropDown {
  const details = element('details', { class: `menu ${className}`.trim() }, summary, panel);
  const close = (): void => details.removeAttribute('open');
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    event.stopPropagation();
    close();
    summary.focus();
  });
  details.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('[data-closes]') !== null) {
      close();
      summary.focus();
    }
  });
  details.addEventListener('toggle', () => {
    if (details.open) keepInside(panel);
  });
  document.addEventListener('pointerdown', (event) => {
    if (event.target instanceof Node && !details.contains(event.target)) close();
  });
  details.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) close();
  });
  return { element: details, summary, panel, close };
}

/** Moves a panel that would hang over the edge of the window back into it. */
function keepInside(panel: HTMLElement): void {
  panel.style.translate = '';
  const { left, right } = panel.getBoundingClientRect();
  const over = Math.max(0, right + MARGIN - document.documentElement.clientWidth);
  const shift = left - over < MARGIN ? MARGIN - left : -over;
  if (shift !== 0) panel.style.translate = `${shift}px`;
}

const MARGIN = 8;
