/** The toolbar above the text: undo, headings, formats, and the switch between source and preview. */

import type { EditorView } from '@codemirror/view';
import { Redo2, Undo2 } from 'lucide';
import type * as Y from 'yjs';
import { element } from '../../dom';
import { toolbar } from '../../parts/toolbar';
import { applyFormat } from '../apply-format';
import { headingLevel, setHeading, type HeadingLevel } from '../formatting/line-marks';
import { FORMATS, formatsAreReadable, type Format } from './formats';
import { HeadingMenu } from './heading-menu';
import { setAttribute, ToolButton } from './tool-button';
import type { ViewSwitch } from './view-switch';

export class TextToolbar {
  readonly element: HTMLElement;
  /** Belongs beside the bar: it is no stop of the bar's arrow keys. */
  readonly menu: HTMLElement;
  readonly #view: EditorView;
  readonly #undoManager: Y.UndoManager;
  readonly #headings: HeadingMenu;
  readonly #undo: ToolButton;
  readonly #redo: ToolButton;
  readonly #formats: readonly { readonly format: Format; readonly button: ToolButton }[];
  /** Whether there is a source in sight that can be edited. */
  #usable = false;
  #refreshing = false;

  constructor(view: EditorView, undoManager: Y.UndoManager, viewSwitch: ViewSwitch) {
    this.#view = view;
    this.#undoManager = undoManager;
    this.#undo = new ToolButton({ label: 'Undo', icon: Undo2, key: 'Mod-z', onPress: () => void undoManager.undo() });
    this.#redo = new ToolButton({ label: 'Redo', icon: Redo2, key: 'Mod-y', onPress: () => void undoManager.redo() });
    this.#headings = new HeadingMenu((level) => this.#chooseHeading(level));
    const groups = FORMATS.map((formats) =>
      formats.map((format) => ({
        format,
        button: new ToolButton({
          label: format.label,
          icon: format.icon,
          key: format.key,
          isToggle: format.isOn !== undefined,
          onPress: (byKeyboard) => this.#press(format, byKeyboard),
        }),
      })),
    );
    this.#formats = groups.flat();
    const tools = element(
      'div',
      { class: 'tools' },
      group('History', this.#undo.element, this.#redo.element),
      group('Heading', this.#headings.button),
      ...groups.map((tools, at) => group(GROUP_NAMES[at] ?? '', ...tools.map(({ button }) => button.element))),
    );
    this.element = toolbar({ label: 'Formatting', className: 'text-toolbar' }, tools, viewSwitch.element);
    this.menu = this.#headings.menu;
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') view.focus();
    });
    for (const event of ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const) {
      undoManager.on(event, () => this.refreshSoon());
    }
    this.refreshSoon();
  }

  set usable(usable: boolean) {
    this.#usable = usable;
    this.#refresh();
  }

  /** To be called whenever the text or the selection may have changed; looks once a frame. */
  refreshSoon(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    requestAnimationFrame(() => {
      this.#refreshing = false;
      this.#refresh();
    });
  }

  #refresh(): void {
    const { state } = this.#view;
    this.#undo.disabled = !this.#usable || this.#undoManager.undoStack.length === 0;
    this.#redo.disabled = !this.#usable || this.#undoManager.redoStack.length === 0;
    setAttribute(this.#headings.button, 'aria-disabled', String(!this.#usable));
    for (const { button } of this.#formats) button.disabled = !this.#usable;
    if (!formatsAreReadable(state)) return;
    this.#headings.level = headingLevel(state);
    for (const { format, button } of this.#formats) {
      if (format.isOn !== undefined) button.pressed = this.#usable && format.isOn(state);
    }
  }

  #press(format: Format, byKeyboard: boolean): void {
    if (applyFormat(this.#view, this.#undoManager, format.run) || !byKeyboard) {
      if (!byKeyboard || format.fillsIn === true) this.#view.focus();
    }
  }

  #chooseHeading(level: HeadingLevel): void {
    applyFormat(this.#view, this.#undoManager, (state) => setHeading(state, level));
    this.#view.focus();
  }
}

function group(name: string, ...buttons: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'tool-group', role: 'group', 'aria-label': name }, ...buttons);
}

const GROUP_NAMES: readonly string[] = ['Characters', 'Lines', 'Insert'];
