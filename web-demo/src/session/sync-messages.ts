/**
 * The y-websocket message of type 0: the document's content.
 *
 * In the place of the provider's own reader, so that our confirmed updates are told from the edits of others and are not
 * applied again, and so that the answer to the server's state vector is ours to compose.
 */

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

export interface SyncReader {
  /** What to answer to the server's state vector; undefined for nothing. */
  answer(stateVector: Uint8Array): Uint8Array | undefined;
  /** Whether an update is one of ours that comes back. */
  confirm(update: Uint8Array): boolean;
}

export function readSyncMessages(provider: WebsocketProvider, reader: SyncReader): void {
  provider.messageHandlers[SYNC_MESSAGE] = (encoder, decoder) => {
    const kind = decoding.readVarUint(decoder);
    const content = decoding.readVarUint8Array(decoder);
    switch (kind) {
      case STEP_1:
        writeAnswer(encoder, reader.answer(content));
        return;
      case STEP_2:
        apply(provider, content);
        provider.synced = true;
        return;
      case UPDATE:
        if (!reader.confirm(content)) apply(provider, content);
        return;
      default:
        console.warn(`a sync message of kind ${kind} is unknown`);
    }
  };
}

/** A frame that brings an update. */
export function encodeUpdateMessage(update: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, SYNC_MESSAGE);
  encoding.writeVarUint(encoder, UPDATE);
  encoding.writeVarUint8Array(encoder, update);
  return encoding.toUint8Array(encoder).slice();
}

function writeAnswer(encoder: encoding.Encoder, update: Uint8Array | undefined): void {
  if (update === undefined) return;
  encoding.writeVarUint(encoder, SYNC_MESSAGE);
  encoding.writeVarUint(encoder, STEP_2);
  encoding.writeVarUint8Array(encoder, update);
}

/** A listener that throws, an editor's for one, must not end the reading of further messages. */
function apply(provider: WebsocketProvider, update: Uint8Array): void {
  try {
    Y.applyUpdate(provider.doc, update, provider);
  } catch (error) {
    console.error('an update could not be applied', error);
  }
}

const SYNC_MESSAGE = 0;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;
