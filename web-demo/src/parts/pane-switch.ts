/** Which sides of a document are shown: text, board, or both where there is room. */

import { Columns2, FileText, Shapes, type IconNode } from 'lucide';
import { readStored, writeStored } from '../browser-storage';
import { element } from '../dom';
import { Watched } from '../watched';
import { icon } from './icons';

export type Panes = 'text' | 'both' | 'board';

export interface PaneSwitch {
  readonly element: HTMLElement;
  /** What is shown now: never both where it is narrow. */
  readonly shown: Watched<Panes>;
  /** Shows at least this side. */
  readonly reveal: (pane: 'text' | 'board') => void;
}

export function paneSwitch(): PaneSwitch {
  const narrow = matchMedia(NARROW);
  const stored = readStored(KEY);
  let chosen: Panes = CHOICES.some(({ panes }) => panes === stored) ? (stored as Panes) : 'both';
  /** Which side is shown where only one fits. */
  let single: 'text' | 'board' = 'text';
  const shown = new Watched<Panes>('text');
  const show = (): void => {
    shown.value = chosen === 'both' && narrow.matches ? single : chosen;
  };
  const choose = (panes: Panes): void => {
    if (panes !== 'both') single = panes;
    chosen = narrow.matches && panes !== 'both' && chosen === 'both' ? 'both' : panes;
    writeStored(KEY, chosen);
    show();
  };
  narrow.addEventListener('change', show);
  show();
  const buttons = CHOICES.map(({ panes, label, node }) => {
    const button = element('button', { class: `segment segment-${panes}`, type: 'button', title: TITLES[panes] }, icon(node, 17), element('span', {}, label));
    button.addEventListener('click', () => choose(panes));
    shown.watch((now) => button.setAttribute('aria-pressed', String(now === panes)));
    return button;
  });
  return {
    element: element('div', { class: 'pane-switch', role: 'group', 'aria-label': 'What is shown' }, ...buttons),
    shown,
    reveal: (pane) => {
      if (shown.value !== pane && shown.value !== 'both') choose(pane);
    },
  };
}

interface Choice {
  readonly panes: Panes;
  readonly label: string;
  readonly node: IconNode;
}

const CHOICES: readonly Choice[] = [
  { panes: 'text', label: 'Text', node: FileText },
  { panes: 'both', label: 'Both', node: Columns2 },
  { panes: 'board', label: 'Board', node: Shapes },
];
const TITLES: Readonly<Record<Panes, string>> = { text: 'Text alone', both: 'Text and board side by side', board: 'Board alone' };
const KEY = 'ydock.panes';
/** The same width as in document.css. */
const NARROW = '(max-width: 54rem)';
