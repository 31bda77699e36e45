/**
 * Presence on the socket: the y-websocket messages of types 1 and 3.
 *
 * The provider would send every change of others back to the server and every change of ours at once. It is given an
 * awareness that never changes (`silent`); here our own state alone is sent, at most every 40 ms, the newest.
 */

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import {
  applyAwarenessUpdate,
  Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type { WebsocketProvider } from 'y-websocket';
import type * as Y from 'yjs';
import { Throttle } from './throttle';

/** An awareness that has no state and gets none. */
export function silentAwareness(doc: Y.Doc): Awareness {
  const silent = new Awareness(doc);
  silent.setLocalState(null);
  return silent;
}

export class PresenceWire {
  readonly #provider: WebsocketProvider;
  readonly #awareness: Awareness;
  readonly #sending = new Throttle(SEND_EVERY_MS, () => this.#send());

  constructor(provider: WebsocketProvider, awareness: Awareness) {
    this.#provider = provider;
    this.#awareness = awareness;
    provider.messageHandlers[AWARENESS_MESSAGE] = (_encoder, decoder) => this.#receive(decoder);
    provider.messageHandlers[QUERY_MESSAGE] = () => this.#sending.now();
    provider.on('status', ({ status }) => {
      // In a microtask, so that the state is sent after the handshake's first frame.
      if (status === 'connected') queueMicrotask(() => this.#announce());
      if (status === 'disconnected') this.#forgetOthers();
    });
    awareness.on('update', ({ added, updated, removed }: AwarenessChange) => {
      const { clientID } = awareness;
      if (removed.includes(clientID)) this.#sending.now();
      else if (added.includes(clientID) || updated.includes(clientID)) this.#sending.request();
    });
    this.#leaveWithThePage();
  }

  #receive(decoder: decoding.Decoder): void {
    try {
      applyAwarenessUpdate(this.#awareness, decoding.readVarUint8Array(decoder), this.#provider);
    } catch (error) {
      console.warn('a presence message could not be read', error);
    }
  }

  #send(): void {
    const { ws } = this.#provider;
    if (ws === null || ws.readyState !== WebSocket.OPEN) return;
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, AWARENESS_MESSAGE);
    encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(this.#awareness, [this.#awareness.clientID]));
    ws.send(encoding.toUint8Array(encoder).slice());
  }

  /** Sends our state with a newer clock: members who saw us leave ignore the old one until its renewal, 15 s later. */
  #announce(): void {
    this.#awareness.setLocalState(this.#awareness.getLocalState());
    this.#sending.now();
  }

  /** Forgets the others with their clocks, so that their unchanged states count as new again. */
  #forgetOthers(): void {
    const others = [...this.#awareness.getStates().keys()].filter((clientId) => clientId !== this.#awareness.clientID);
    removeAwarenessStates(this.#awareness, others, this.#provider);
    for (const clientId of this.#awareness.meta.keys()) {
      if (!this.#awareness.states.has(clientId)) this.#awareness.meta.delete(clientId);
    }
  }

  /** The browser may keep the page, and its socket for a while, for a way back. */
  #leaveWithThePage(): void {
    let state: ReturnType<Awareness['getLocalState']> = null;
    addEventListener('pagehide', () => {
      state = this.#awareness.getLocalState();
      this.#awareness.setLocalState(null);
    });
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted && state !== null) this.#awareness.setLocalState(state);
    });
  }
}

interface AwarenessChange {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

const AWARENESS_MESSAGE = 1;
const QUERY_MESSAGE = 3;
const SEND_EVERY_MS = 40;
