/** The connection state in words, with a dot whose colour only repeats them. */

import { element } from '../dom';
import type { ConnectionState } from '../session/connection-state';
import type { Watched } from '../watched';

export function connectionBadge(connection: Watched<ConnectionState>): HTMLElement {
  const label = element('span');
  const badge = element('p', { class: 'connection', role: 'status' }, element('span', { class: 'dot', 'aria-hidden': 'true' }), label);
  connection.watch((state) => {
    const { text, hint } = WORDS[state.kind];
    badge.dataset['state'] = state.kind;
    badge.title = hint;
    label.textContent = text;
  });
  return badge;
}

const WORDS: Readonly<Record<ConnectionState['kind'], { readonly text: string; readonly hint: string }>> = {
  connecting: { text: 'Connecting…', hint: 'The document is being opened.' },
  connected: { text: 'Connected', hint: 'Changes reach everyone at once.' },
  reconnecting: {
    text: 'Offline, reconnecting…',
    hint: 'You can write on. Changes are kept in this tab and sent when the connection is back.',
  },
  closed: { text: 'Closed', hint: 'The server has closed this document for you.' },
};
