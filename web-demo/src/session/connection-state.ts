/** What a person needs to know about the connection, and when a close is final. */

export type ConnectionState =
  | { readonly kind: 'connecting' }
  /** The document is in step with the server. */
  | { readonly kind: 'connected' }
  /** The connection was lost or refused for now; the provider tries again by itself. */
  | { readonly kind: 'reconnecting' }
  /** The server will not take us back by trying again. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/** 4400 to 4499 say that something must change first; every other code (4500…, 1001, 1012, 1013, 1006) is transient. */
export function isPermanentClose(code: number): boolean {
  return code >= 4400 && code <= 4499;
}

export const DOCUMENT_DELETED = 4404;
export const SIGN_IN_NEEDED = 4401;
export const ACCESS_DENIED = 4403;
