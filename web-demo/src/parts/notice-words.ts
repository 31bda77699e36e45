/** What the page says in its notice, and what it offers, for everything that can be amiss: plain words, pure. */

import type { Access } from '../session/access';
import {
  ACCESS_DENIED,
  DOCUMENT_DELETED,
  MALFORMED,
  SIGN_IN_NEEDED,
  TOO_LARGE,
  type ConnectionState,
} from '../session/connection-state';
import type { SavingState } from '../session/saving';

export interface NoticeFacts {
  readonly connection: ConnectionState;
  readonly saving: SavingState;
  readonly access: Access;
  readonly unsavable: boolean;
  readonly hasContent: boolean;
  /** Whether this browser lets the page keep a copy. */
  readonly keepsCopy: boolean;
}

/** Something to do about it, shown as a button. */
export type Offer = 'keep' | 'discard' | 'retry' | 'start-page';

export interface NoticeWords {
  readonly heading: string;
  readonly advice: string;
  readonly offers: readonly Offer[];
}

/** The notice of a final close, which is read out at once. */
export function closedWords({ connection, hasContent, keepsCopy }: NoticeFacts): NoticeWords | undefined {
  if (connection.kind !== 'closed') return undefined;
  const keep: readonly Offer[] = hasContent ? ['keep'] : [];
  const keepOrDiscard: readonly Offer[] = hasContent ? ['keep', 'discard'] : [];
  switch (connection.code) {
    case DOCUMENT_DELETED:
      return {
        heading: 'This document was deleted',
        advice: hasContent
          ? 'What you see below is no longer saved. You can keep it as a new document, or discard it.'
          : 'There was nothing in it.',
        offers: hasContent ? keepOrDiscard : ['start-page'],
      };
    case SIGN_IN_NEEDED:
      return {
        heading: 'Sign in to open this document',
        advice: 'The server does not know who you are. Sign in, then try again.',
        offers: ['retry', ...keep, 'start-page'],
      };
    case ACCESS_DENIED:
      return {
        heading: 'You cannot open this document',
        advice: 'Ask its owner for access, then try again.',
        offers: ['retry', ...keep, 'start-page'],
      };
    case TOO_LARGE:
      return {
        heading: 'This is too large to be saved',
        advice: `${placeOfEdits(keepsCopy)} Undo or shorten what you added last, then try again. You can also keep everything as a new document, or discard what was not saved.`,
        offers: ['retry', ...keepOrDiscard],
      };
    case MALFORMED:
      return {
        heading: 'The server could not read your last changes',
        advice: `${placeOfEdits(keepsCopy)} Try again. If that does not help, keep everything as a new document.`,
        offers: ['retry', ...keepOrDiscard],
      };
    default:
      return {
        heading: 'The server closed this document',
        advice: `It does not open again by itself. ${placeOfEdits(keepsCopy)}`,
        offers: ['retry', ...keep, 'start-page'],
      };
  }
}

/** The notice of a trouble in which work goes on. */
export function troubleWords({ connection, saving, access, unsavable, keepsCopy }: NoticeFacts): NoticeWords | undefined {
  if (connection.kind === 'closed') return undefined;
  if (unsavable) {
    return {
      heading: 'You can read this document, but not change it',
      advice: 'This browser holds changes of yours from before, which cannot be saved here. You can keep everything as a new document, or discard them.',
      offers: ['keep', 'discard'],
    };
  }
  if (access === 'read-only') return { heading: 'You can read this document, but not change it.', advice: '', offers: [] };
  if (saving.kind === 'loading' && connection.kind === 'reconnecting') {
    return {
      heading: NOT_OPEN_YET[connection.cause],
      advice: 'The document opens as soon as the server answers. You need not do anything.',
      offers: [],
    };
  }
  if (saving.kind === 'stuck' && saving.serverCannotSave) {
    return {
      heading: 'The server cannot save right now',
      advice: keepsCopy
        ? 'Everything is kept here and will be saved when it can. You can write on.'
        : 'Keep this tab open: your last changes are only here. They will be saved when it can.',
      offers: [],
    };
  }
  if (saving.kind === 'tab-only') {
    return {
      heading: 'Keep this tab open',
      advice: 'This browser does not let the page keep a copy, so your changes are only in this tab until the server is back.',
      offers: [],
    };
  }
  return undefined;
}

function placeOfEdits(keepsCopy: boolean): string {
  return keepsCopy ? 'What you wrote is kept in this browser.' : 'What you wrote is only in this tab: keep it open.';
}

const NOT_OPEN_YET = {
  lost: 'There is no connection to the server',
  restarting: 'The server is restarting',
  full: 'The server is full',
  failed: 'The server has a problem with this document',
} as const;
