/**
 * Our edits that the server has not confirmed to be on its disk.
 *
 * With `?ack=echo` an update of ours comes back, the same bytes, once it is durable. What was sent and has not come back is
 * remembered by its bytes, over lost connections too: the server may hold it in memory only, so that its state vector
 * asks for nothing and only the same content, sent again, is confirmed.
 */

import * as Y from 'yjs';

export class Unacknowledged {
  /** Sent over this connection. */
  #waiting: Uint8Array[] = [];
  /** Sent over connections that are lost. */
  #carried: Uint8Array | undefined;
  /** Edits that no connection has carried; the difference to the server's state vector holds them. */
  #unsent = false;
  /** Anything in the document may be unconfirmed: an earlier page did not live to see it. */
  #everything = false;

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#carried === undefined && !this.#unsent && !this.#everything;
  }

  edited(update: Uint8Array, wasSent: boolean): void {
    if (isEmptyUpdate(update)) return;
    if (wasSent) this.#waiting.push(update);
    else this.#unsent = true;
  }

  /** Everything that the document holds needs a confirmation. */
  doubtEverything(): void {
    this.#everything = true;
  }

  connectionLost(): void {
    if (this.#waiting.length === 0) return;
    this.#carried = merged([...this.#waiting, ...(this.#carried === undefined ? [] : [this.#carried])]);
    this.#waiting = [];
  }

  /** What answers the server's state vector: what it lacks and what it has not confirmed. Counts as sent. */
  answer(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
    const lacking = Y.encodeStateAsUpdate(doc, this.#everything ? undefined : stateVector);
    const update = this.#carried === undefined ? lacking : merged([lacking, this.#carried]);
    this.#carried = undefined;
    this.#unsent = false;
    this.#everything = false;
    this.edited(update, true);
    return update;
  }

  /** The whole document, to be sent in place of everything that has not come back. */
  resent(doc: Y.Doc): Uint8Array {
    const update = Y.encodeStateAsUpdate(doc);
    this.#waiting = isEmptyUpdate(update) ? [] : [update];
    this.#carried = undefined;
    return update;
  }

  /** Whether `update` is one of ours that comes back; then one like it counts as confirmed. */
  confirm(update: Uint8Array): boolean {
    const at = this.#waiting.findIndex((sent) => sameBytes(sent, update));
    if (at === -1) return false;
    this.#waiting.splice(at, 1);
    return true;
  }
}

/** No blocks and no deletions: nothing is stored for it, and nothing comes back. */
export function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0;
}

/** Whether an update brings more than deletions, which are sent whether they are known or not. */
export function bringsBlocks(update: Uint8Array): boolean {
  return update[0] !== 0;
}

function merged(updates: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = updates;
  return first !== undefined && rest.length === 0 ? first : Y.mergeUpdates([...updates]);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
