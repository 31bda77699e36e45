/**
 * Who is typing or drawing: tells the server when we do, and keeps what it tells us.
 *
 * A member is active at one place at a time. The server ends a typing note by itself after 5 s without a renewal, so a lost "stopped" heals.
 */

import type { WebsocketProvider } from 'y-websocket';
import type * as Y from 'yjs';
import { Watched } from '../watched';
import { decodeTyping, encodeTyping, TYPING_MESSAGE } from './typing-wire';

/** The places of this page; what another client sends may be any text. */
export type TypingPlace = 'text' | 'board';

export class Typing {
  /** The others who are active, by client id, and where. */
  readonly typists = new Watched<ReadonlyMap<number, string>>(new Map());
  readonly #provider: WebsocketProvider;
  #lastSent = Number.NEGATIVE_INFINITY;
  /** Where we are active, as far as the server was told. */
  #place: TypingPlace | undefined;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(provider: WebsocketProvider, text: Y.Text) {
    this.#provider = provider;
    provider.messageHandlers[TYPING_MESSAGE] = (_encoder, decoder) => {
      try {
        this.#receive(decodeTyping(decoder));
      } catch (error) {
        console.warn('a typing message could not be read', error);
      }
    };
    provider.on('status', ({ status }) => {
      if (status !== 'disconnected') return;
      this.#place = undefined;
      this.typists.value = new Map();
    });
    text.observe((_event, transaction) => {
      if (transaction.local) this.active('text');
    });
  }

  /** To be called whenever the person changes something. */
  active(place: TypingPlace): void {
    clearTimeout(this.#stopTimer);
    this.#stopTimer = setTimeout(() => this.stop(), STOPPED_AFTER_MS);
    const now = performance.now();
    if (this.#place === place && now - this.#lastSent < RENEW_EVERY_MS) return;
    this.#place = place;
    this.#lastSent = now;
    this.#send(true, place);
  }

  /** To be called when the person leaves the text or the board. */
  stop(): void {
    clearTimeout(this.#stopTimer);
    if (this.#place === undefined) return;
    this.#send(false, this.#place);
    this.#place = undefined;
    this.#lastSent = Number.NEGATIVE_INFINITY;
  }

  #send(isTyping: boolean, place: TypingPlace): void {
    const socket = this.#provider.ws;
    if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(encodeTyping(isTyping, place));
  }

  #receive(entries: ReturnType<typeof decodeTyping>): void {
    const typists = new Map(this.typists.value);
    for (const { clientId, isTyping, place } of entries) {
      if (isTyping) typists.set(clientId, place);
      else typists.delete(clientId);
    }
    typists.delete(this.#provider.doc.clientID);
    this.typists.value = typists;
  }
}

const STOPPED_AFTER_MS = 3000;
const RENEW_EVERY_MS = 1000;
