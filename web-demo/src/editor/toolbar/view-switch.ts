/** Which sides of the text are in sight: the source, its preview, or both. The choice is kept for the next visit. */

import { Columns2, Eye, PencilLine, type IconNode } from 'lucide';
import { readStored, writeStored } from '../../browser-storage';
import { element } from '../../dom';
import { Watched } from '../../watched';
import { ToolButton } from './tool-button';

export type TextView = 'write' | 'split' | 'preview';

export class ViewSwitch {
  readonly element: HTMLElement;
  readonly buttons: readonly HTMLButtonElement[];
  /** What is shown: never `split` where there is no room for it. */
  readonly view: Watched<TextView>;
  #chosen: TextView;
  #isWide = false;

  constructor() {
    this.#chosen = parseView(readStored(KEY));
    this.view = new Watched<TextView>(this.#fitting());
    const tools = VIEWS.map(({ view, label, icon }) => {
      const tool = new ToolButton({ label, icon, isToggle: true, onPress: () => this.#choose(view) });
      tool.element.append(element('span', { class: 'tool-label', 'aria-hidden': 'true' }, label));
      tool.element.dataset['view'] = view;
      this.view.watch((shown) => (tool.pressed = shown === view));
      return tool;
    });
    this.buttons = tools.map((tool) => tool.element);
    this.element = element('div', { class: 'view-switch', role: 'group', 'aria-label': 'View' }, ...this.buttons);
  }

  set isWide(isWide: boolean) {
    this.#isWide = isWide;
    for (const button of this.buttons) if (button.dataset['view'] === 'split') button.hidden = !isWide;
    this.view.value = this.#fitting();
  }

  #choose(view: TextView): void {
    this.#chosen = view;
    writeStored(KEY, view);
    this.view.value = this.#fitting();
  }

  #fitting(): TextView {
    return this.#chosen === 'split' && !this.#isWide ? 'write' : this.#chosen;
  }
}

function parseView(stored: unknown): TextView {
  return VIEWS.find(({ view }) => view === stored)?.view ?? 'write';
}

const VIEWS: readonly { readonly view: TextView; readonly label: string; readonly icon: IconNode }[] = [
  { view: 'write', label: 'Write', icon: PencilLine },
  { view: 'split', label: 'Split', icon: Columns2 },
  { view: 'preview', label: 'Preview', icon: Eye },
];
const KEY = 'ydock.text-view';
