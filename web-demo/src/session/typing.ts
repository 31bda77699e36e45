/**
 * Who is typing: tells the server when we do, and keeps what it tells us.
 *
 * The server ends a typing note by itself after 5 s without a renewal, so a lost "stopped" heals.
 */

import type { WebsocketProvider } from 'y-websocket';
import type * as Y from 'yjs';
import { Watched } from '../watched';
import { decodeTyping, encodeTyping, TYPING_MESSAGE } from './typing-wire';

export class Typing {
  /** Client ids of the others who are typing. */
  readonly typists = new Watched<ReadonlySet<number>>(new Set());
  readonly #provider: WebsocketProvider;
  #lastSent = Number.NEGATIVE_INFINITY;
  #isTyping = false;
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
      this.#isTyping = false;
      this.typists.value = new Set();
    });
    text.observe((_event, transaction) => {
      if (transaction.local) this.#active();
    });
  }

  /** To be called when the person leaves the editor. */
  stop(): void {
    clearTimeout(this.#stopTimer);
    if (!this.#isTyping) return;
    this.#isTyping = false;
    this.#lastSent = Number.NEGATIVE_INFINITY;
    this.#send(false);
  }

  #active(): void {
    clearTimeout(this.#stopTimer);
    this.#stopTimer = setTimeout(() => this.stop(), STOPPED_AFTER_MS);
    const now = performance.now();
    if (this.#isTyping && now - this.#lastSent < RENEW_EVERY_MS) return;
    this.#isTyping = true;
    this.#lastSent = now;
    this.#send(true);
  }

  #send(isTyping: boolean): void {
    const socket = this.#provider.ws;
    if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(encodeTyping(isTyping, PLACE));
  }

  #receive(entries: ReturnType<typeof decodeTyping>): void {
    const typists = new Set(this.typists.value);
    for (const { clientId, isTyping } of entries) {
      if (isTyping) typists.add(clientId);
      else typists.delete(clientId);
    }
    typists.delete(this.#provider.doc.clientID);
    this.typists.value = typists;
  }
}

const PLACE = 'text';
const STOPPED_AFTER_MS = 3000;
const RENEW_EVERY_MS = 1000;
