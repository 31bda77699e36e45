/** Where the person's changes are, in words, with a dot whose colour only repeats them. */

import { element } from '../dom';
import type { ConnectionState } from '../session/connection-state';
import type { SavingState } from '../session/saving';
import type { Watched } from '../watched';
import { badgeWords } from './badge-words';

export function connectionBadge(connection: Watched<ConnectionState>, saving: Watched<SavingState>): HTMLElement {
  const label = element('span');
  const advice = element('span', { class: 'badge-advice' });
  const dot = element('span', { class: 'dot', 'aria-hidden': 'true' });
  // Read out when something is amiss and when it is well again, not at every pause in typing.
  const said = element('span', { class: 'visually-hidden', role: 'status' });
  const badge = element('p', { class: 'connection' }, dot, label, advice);
  const draw = (): void => {
    const words = badgeWords(connection.value, saving.value);
    badge.dataset['state'] = connection.value.kind;
    badge.dataset['saving'] = saving.value.kind;
    label.textContent = words.label;
    advice.textContent = words.advice;
    if (words.isTrouble) said.textContent = `${words.label} ${words.advice}`;
    else if (saving.value.kind === 'saved' && said.textContent !== '') said.textContent = words.label;
  };
  connection.watch(draw);
  saving.watch(draw);
  return element('div', { class: 'badge' }, badge, said);
}
