/** The badge's words for every state of the connection and of saving. */

import type { ConnectionState, ReconnectCause } from '../session/connection-state';
import type { SavingState } from '../session/saving';

export interface BadgeWords {
  readonly label: string;
  readonly advice: string;
  /** Whether it is worth interrupting somebody who cannot see it. */
  readonly isTrouble: boolean;
}

export function badgeWords(connection: ConnectionState, saving: SavingState): BadgeWords {
  const isFirst = connection.kind === 'connecting';
  const away = connection.kind === 'reconnecting' ? AWAY[connection.cause] : 'Connecting…';
  switch (saving.kind) {
    case 'loading':
      return isFirst || connection.kind === 'connected' ? calm('Opening…') : trouble(away, '— trying again');
    case 'saved':
      return calm('All changes saved');
    case 'saving':
      return calm('Saving…');
    case 'stuck':
      return saving.serverCannotSave
        ? trouble('Not saved yet', '— the server cannot save right now')
        : trouble('Not saved yet', '— the server has not answered for a while');
    case 'kept':
      return isFirst ? calm(away) : trouble(away, '— your changes are kept in this browser');
    case 'tab-only':
      return isFirst ? calm(away) : trouble(away, '— your changes are only in this tab');
    case 'read-only':
      return connection.kind === 'reconnecting' ? trouble(away, '— trying again') : calm('Read only');
    case 'closed':
      return trouble('Closed', '');
  }
}

function calm(label: string): BadgeWords {
  return { label, advice: '', isTrouble: false };
}

function trouble(label: string, advice: string): BadgeWords {
  return { label, advice, isTrouble: true };
}

const AWAY: Readonly<Record<ReconnectCause, string>> = {
  lost: 'Offline',
  restarting: 'The server is restarting',
  full: 'The server is full',
  failed: 'The server has a problem',
};
