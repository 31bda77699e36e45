/** What the server lets us do, as its messages of type 2 (auth) say it. */

import * as decoding from 'lib0/decoding';

export type Access = 'edit' | 'read-only';

export const AUTH_MESSAGE = 2;

/** Reads what follows the message type; undefined for what it does not know. Throws when the frame ends early. */
export function decodeAccess(decoder: decoding.Decoder): Access | undefined {
  switch (decoding.readVarUint(decoder)) {
    case DENIED:
      return 'read-only';
    case GRANTED:
      return decoding.readVarString(decoder) === 'readonly' ? 'read-only' : 'edit';
    default:
      return undefined;
  }
}

/** An edit was dropped; its reason is for people who read the wire. */
const DENIED = 0;
const GRANTED = 2;
