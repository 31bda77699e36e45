/** The connection state in words, with a dot whose colour only repeats them. */

import { element } from '../dom';
import type { ConnectionState } from '../session/connection-state';
import type { Watched } from '../watched';

export function connectionBadge(connection: Watched<ConnectionState>): HTMLElement {
  const label = element('span');
  const advice = element('span', { class: 'advice' });
  const dot = element('span', { class: 'dot', 'aria-hidden': 'true' });
  const badge = element('p', { class: 'connection', role: 'status' }, dot, label, advice);
  let opened = false;
  connection.watch((state) => {
    opened ||= state.kind === 'connected';
    badge.dataset['state'] = state.kind;
    label.textContent = LABELS[state.kind];
    advice.textContent = opened && state.kind === 'reconnecting' ? KEPT : '';
  });
  return badge;
}

const LABELS: Readonly<Record<ConnectionState['kind'], string>> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Offline, reconnecting…',
  closed: 'Closed',
};

const KEPT = 'You can write on: this tab keeps your changes until then.';
