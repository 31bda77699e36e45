/** The y-websocket message of type 101: who is typing where. Only sent to members that connected with `?typing=1`. */

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

export const TYPING_MESSAGE = 101;

export interface TypingEntry {
  readonly clientId: number;
  readonly isTyping: boolean;
  /** What is typed in, as the sender calls it; may be empty. */
  readonly place: string;
}

/** `place` takes at most 64 bytes of UTF-8. */
export function encodeTyping(isTyping: boolean, place: string): Uint8Array<ArrayBuffer> {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, TYPING_MESSAGE);
  encoding.writeVarUint(encoder, isTyping ? 1 : 0);
  encoding.writeVarString(encoder, place);
  return encoding.toUint8Array(encoder).slice();
}

/** Reads what follows the message type. Throws when the frame ends early. */
export function decodeTyping(decoder: decoding.Decoder): readonly TypingEntry[] {
  const count = decoding.readVarUint(decoder);
  const entries: TypingEntry[] = [];
  for (let read = 0; read < count; read += 1) {
    const clientId = decoding.readVarUint(decoder);
    const isTyping = decoding.readVarUint(decoder) === 1;
    entries.push({ clientId, isTyping, place: decoding.readVarString(decoder) });
  }
  return entries;
}
