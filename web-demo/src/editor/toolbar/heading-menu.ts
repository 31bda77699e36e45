/** The toolbar's menu of headings: a button that names the level at the cursor, and a choice of four. */

import { ChevronDown } from 'lucide';
import { element } from '../../dom';
import { icon } from '../../parts/icons';
import type { HeadingLevel } from '../formatting/line-marks';
import { shortcutWords } from './shortcuts';
import { setAttribute } from './tool-button';

export class HeadingMenu {
  readonly button: HTMLButtonElement;
  readonly menu: HTMLElement;
  readonly #name = element('span', { 'data-short': 'Text' }, 'Text');
  readonly #choices: readonly HTMLButtonElement[];

  constructor(onChoose: (level: HeadingLevel) => void) {
    this.button = element(
      'button',
      { class: 'tool heading-button', type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', title: 'Heading' },
      element('span', { class: 'visually-hidden' }, 'Heading: '),
      this.#name,
      icon(ChevronDown, 14),
    );
    this.#choices = HEADINGS.map(({ level, label, key }) => {
      const shortcut = shortcutWords(key);
      const choice = element(
        'button',
        {
          type: 'button',
          role: 'menuitemradio',
          tabindex: '-1',
          'aria-checked': 'false',
          'aria-keyshortcuts': shortcut.aria,
          'data-level': String(level),
        },
        label,
        element('kbd', { 'aria-hidden': 'true' }, shortcut.shown),
      );
      choice.addEventListener('click', () => {
        this.menu.hidePopover();
        onChoose(level);
      });
      return choice;
    });
    this.menu = element('div', { class: 'heading-menu', role: 'menu', 'aria-label': 'Heading', popover: 'auto' }, ...this.#choices);
    this.button.addEventListener('mousedown', (event) => event.preventDefault());
    this.button.addEventListener('click', () => this.#toggle());
    this.button.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      event.stopPropagation();
      this.#toggle();
    });
    this.menu.addEventListener('toggle', (event) => {
      this.button.setAttribute('aria-expanded', String(event.newState === 'open'));
    });
    this.menu.addEventListener('keydown', (event) => this.#onKey(event));
  }

  set level(level: HeadingLevel) {
    const label = HEADINGS.find((heading) => heading.level === level)?.label ?? `Heading ${level}`;
    if (this.#name.textContent !== label) {
      this.#name.textContent = label;
      this.#name.dataset['short'] = level === 0 ? label : `H${level}`;
    }
    for (const choice of this.#choices) {
      setAttribute(choice, 'aria-checked', String(choice.dataset['level'] === String(level)));
    }
  }

  /** Below the button, inside of the window; it lies above everything, as nothing can clip it. */
  #toggle(): void {
    if (this.button.getAttribute('aria-disabled') === 'true') return;
    if (this.menu.matches(':popover-open')) {
      this.menu.hidePopover();
      return;
    }
    this.menu.showPopover();
    const anchor = this.button.getBoundingClientRect();
    this.menu.style.top = `${anchor.bottom + 4}px`;
    this.menu.style.left = `${Math.max(4, Math.min(anchor.left, innerWidth - this.menu.offsetWidth - 4))}px`;
    (this.#choices.find((choice) => choice.getAttribute('aria-checked') === 'true') ?? this.#choices[0])?.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const at = this.#choices.findIndex((choice) => choice === document.activeElement);
    const count = this.#choices.length;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + count, Home: 0, End: count - 1 }[event.key];
    event.stopPropagation();
    if (event.key === 'Tab') this.menu.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    this.#choices[next % count]?.focus();
  }
}

export const HEADINGS: readonly { readonly level: HeadingLevel; readonly label: string; readonly key: string }[] = [
  { level: 0, label: 'Text', key: 'Mod-Alt-0' },
  { level: 1, label: 'Heading 1', key: 'Mod-Alt-1' },
  { level: 2, label: 'Heading 2', key: 'Mod-Alt-2' },
  { level: 3, label: 'Heading 3', key: 'Mod-Alt-3' },
];
