/** What a person needs to know about the connection, and when a close is final. */

import type { Readiness } from './saving';

export type ConnectionState =
  | { readonly kind: 'connecting' }
  /** The document is in step with the server. */
  | { readonly kind: 'connected' }
  /** The connection was lost or refused for now; the provider tries again by itself. */
  | { readonly kind: 'reconnecting'; readonly cause: ReconnectCause }
  /** The server will not take us back by trying again. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/** Why there is no connection now, as far as it is known. */
export type ReconnectCause = 'lost' | 'restarting' | 'full' | 'failed';

/** 4400 to 4499 say that something must change first; every other code (4500…, 1001, 1012, 1013, 1006) is transient. */
export function isPermanentClose(code: number): boolean {
  return code >= 4400 && code <= 4499;
}

/** The cause that a transient close names; 1006 and a missing code name none. */
export function reconnectCause(code: number | undefined): ReconnectCause {
  switch (code) {
    case 1001:
    case 1012:
    case 4503:
      return 'restarting';
    case 1013:
      return 'full';
    case 4500:
      return 'failed';
    default:
      return 'lost';
  }
}

/** What a refused connection means: `refusals` counts how often in a row the server said that it is ready. */
export function refusalCause(answer: Readiness, refusals: number, known: ReconnectCause): ReconnectCause {
  if (answer === 'not-ready') return 'restarting';
  // Once is no proof: the server may have come back between the two questions.
  if (answer === 'ready') return refusals > 1 ? 'full' : known;
  return known === 'full' ? 'lost' : known;
}

export const MALFORMED = 4400;
export const SIGN_IN_NEEDED = 4401;
export const ACCESS_DENIED = 4403;
export const DOCUMENT_DELETED = 4404;
export const TOO_LARGE = 4413;
