/** A row of buttons that is one stop for the Tab key: arrows, Home and End move within it, as WAI-ARIA has it for toolbars. */

import { element } from '../dom';

export interface ToolbarOptions {
  readonly label: string;
  readonly className: string;
  /** Which arrows move; both work, this one is told to screen readers. */
  readonly orientation?: 'horizontal' | 'vertical';
}

export function toolbar({ label, className, orientation = 'horizontal' }: ToolbarOptions, ...items: readonly Node[]): HTMLElement {
  const bar = element('div', { class: className, role: 'toolbar', 'aria-label': label, 'aria-orientation': orientation }, ...items);
  const stops = (): HTMLElement[] =>
    [...bar.querySelectorAll<HTMLElement>('button, summary')].filter((stop) => !stop.hasAttribute('disabled') && stop.offsetParent !== null && !isInPanel(stop));
  const rove = (to: HTMLElement | undefined): void => {
    for (const stop of bar.querySelectorAll<HTMLElement>('button, summary')) if (!isInPanel(stop)) stop.tabIndex = stop === to ? 0 : -1;
  };
  bar.addEventListener('keydown', (event) => {
    if (!(event.target instanceof HTMLElement) || isInPanel(event.target)) return;
    const all = stops();
    const at = all.indexOf(event.target);
    const next = nextStop(event.key, at, all.length);
    if (at === -1 || next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  });
  bar.addEventListener('focusin', (event) => {
    if (event.target instanceof HTMLElement && !isInPanel(event.target)) rove(event.target);
  });
  rove(bar.querySelector<HTMLElement>('button, summary') ?? undefined);
  return bar;
}

function nextStop(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return (at + 1) % count;
    case 'ArrowLeft':
    case 'ArrowUp':
      return (at - 1 + count) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

function isInPanel(stop: Element): boolean {
  return stop.closest('.menu-panel') !== null;
}
