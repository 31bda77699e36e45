/** Tells of something that did not work, over the page, until it is put away or a while has passed. */

import { X } from 'lucide';
import { element } from '../dom';
import { icon } from './icons';

export interface ProblemNote {
  readonly element: HTMLElement;
  readonly show: (problems: readonly string[]) => void;
}

export function problemNote(): ProblemNote {
  const words = element('div', { role: 'alert' });
  const close = element('button', { class: 'icon-button', type: 'button', 'aria-label': 'Put away' }, icon(X, 16));
  const note = element('div', { class: 'problem-note', hidden: true }, words, close);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hide = (): void => {
    clearTimeout(timer);
    note.hidden = true;
  };
  close.addEventListener('click', hide);
  return {
    element: note,
    show: (problems) => {
      if (problems.length === 0) return;
      clearTimeout(timer);
      note.hidden = false;
      words.replaceChildren(...problems.map((problem) => element('p', {}, problem)));
      timer = setTimeout(hide, SHOWN_FOR_MS);
    },
  };
}

const SHOWN_FOR_MS = 12_000;
