/** A button of the toolbar. It takes no focus from the text when it is clicked, and stays reachable when it can do nothing. */

import type { IconNode } from 'lucide';
import { element } from '../../dom';
import { icon as drawIcon } from '../../parts/icons';
import { shortcutWords } from './shortcuts';

export interface Tool {
  readonly label: string;
  readonly icon: IconNode;
  readonly key?: string | undefined;
  /** The button shows whether it is on. */
  readonly isToggle?: boolean;
  /** `byKeyboard` tells that the focus is to stay on the button. */
  readonly onPress: (byKeyboard: boolean) => void;
}

export class ToolButton {
  readonly element: HTMLButtonElement;

  constructor({ label, icon, key, isToggle = false, onPress }: Tool) {
    const shortcut = key === undefined ? undefined : shortcutWords(key);
    this.element = element(
      'button',
      {
        class: 'tool',
        type: 'button',
        'aria-label': label,
        title: shortcut === undefined ? label : `${label} (${shortcut.shown})`,
        ...(shortcut !== undefined && { 'aria-keyshortcuts': shortcut.aria }),
        ...(isToggle && { 'aria-pressed': 'false' }),
      },
      drawIcon(icon, 18),
    );
    this.element.addEventListener('mousedown', (event) => event.preventDefault());
    this.element.addEventListener('click', (event) => {
      if (!this.isDisabled) onPress(event.detail === 0);
    });
  }

  get isDisabled(): boolean {
    return this.element.getAttribute('aria-disabled') === 'true';
  }

  set disabled(disabled: boolean) {
    setAttribute(this.element, 'aria-disabled', String(disabled));
  }

  set pressed(pressed: boolean) {
    setAttribute(this.element, 'aria-pressed', String(pressed));
  }
}

/** Writes only what changes: the toolbar is looked over after each keystroke. */
export function setAttribute(of: Element, name: string, value: string): void {
  if (of.getAttribute(name) !== value) of.setAttribute(name, value);
}
