/**
 * The chat beside a document: a room of the server's `/chat` gateway, over Socket.IO.
 *
 * It is the document's topic as well, so that who types in the chat shows to those in the document and the other way
 * round. Nothing of it is kept by the server: whoever comes later has missed it.
 */

import type { Socket } from 'socket.io-client';
import type { DocumentName } from '../document-name';
import type { Profile } from '../profile';
import { Watched } from '../watched';
import { readMessage, readNotification, readProblem, readTyping, type ChatLine } from './chat-wire';

export type ChatState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** The connection was lost; it comes back by itself. */
  | { readonly kind: 'away' }
  /** This server has no chat, or does not let us in. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface ChatOptions {
  readonly name: DocumentName;
  readonly profile: Profile;
  /** Our client id in the document, so that nobody takes us for two. */
  readonly clientId: number;
}

export class Chat {
  readonly state = new Watched<ChatState>({ kind: 'connecting' });
  /** The newest last. */
  readonly lines = new Watched<readonly ChatLine[]>([]);
  /** Names of the others who type in the chat or in the document. */
  readonly typists = new Watched<readonly string[]>([]);
  readonly #room: string;
  readonly #clientId: number;
  #profile: Profile;
  #socket: Socket | undefined;
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();
  #lastTold = Number.NEGATIVE_INFINITY;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ name, profile, clientId }: ChatOptions) {
    this.#room = `doc:${name}`;
    this.#profile = profile;
    this.#clientId = clientId;
    void this.#open();
  }

  /** Under another name from now on. */
  introduce(profile: Profile): void {
    if (profile.name === this.#profile.name) return;
    this.#profile = profile;
    this.#socket?.disconnect().connect();
  }

  /** Settles when the message is in the room; fails with words for people. */
  async send(message: string): Promise<void> {
    if (this.#socket === undefined || !this.#socket.connected) throw new Error('The chat is not connected.');
    this.stopTyping();
    let answer: unknown;
    try {
      answer = await this.#socket.timeout(ANSWER_WITHIN_MS).emitWithAck('chatMessage', { room: this.#room, message });
    } catch {
      throw new Error('The server did not answer.');
    }
    const problem = readProblem(answer);
    if (problem !== undefined) throw new Error(problem);
  }

  /** To be called whenever the person changes what is to be sent. */
  typing(): void {
    clearTimeout(this.#stopTimer);
    this.#stopTimer = setTimeout(() => this.stopTyping(), STOPPED_AFTER_MS);
    const now = performance.now();
    if (now - this.#lastTold < RENEW_EVERY_MS) return;
    this.#lastTold = now;
    this.#tell(true);
  }

  stopTyping(): void {
    clearTimeout(this.#stopTimer);
    if (this.#lastTold === Number.NEGATIVE_INFINITY) return;
    this.#lastTold = Number.NEGATIVE_INFINITY;
    this.#tell(false);
  }

  #tell(isTyping: boolean): void {
    if (this.#socket?.connected === true) this.#socket.emit('typing', { room: this.#room, isTyping });
  }

  async #open(): Promise<void> {
    let io: (typeof import('socket.io-client'))['io'];
    try {
      ({ io } = await import('socket.io-client'));
    } catch {
      // The page is kept in this browser, and this part of it was never loaded.
      this.state.value = { kind: 'unavailable', reason: 'The chat could not be loaded. It is there after a reload with a connection.' };
      return;
    }
    const socket = io('/chat', {
      transports: ['websocket'],
      auth: (answer) => answer({ username: this.#profile.name, token: 'demo', clientId: this.#clientId }),
    });
    this.#socket = socket;
    socket.on('connect', () => {
      socket.emit('joinRoom', this.#room);
      this.state.value = { kind: 'open' };
    });
    socket.on('disconnect', () => this.#away());
    socket.on('connect_error', (error) => {
      // The server answered: it will say the same again.
      if (socket.active) this.#away();
      else this.state.value = { kind: 'unavailable', reason: reasonOf(error.message) };
    });
    socket.on('chatMessage', (sent: unknown) => this.#add(readMessage(sent, this.#room)));
    socket.on('notification', (sent: unknown) => this.#add(readNotification(sent)));
    socket.on('typing', (sent: unknown) => {
      const note = readTyping(sent, this.#room);
      // Our own editor is one of those who type in the document.
      if (note !== undefined && note.clientId !== this.#clientId) this.#noteTyping(note.user, note.isTyping);
    });
  }

  #away(): void {
    this.#lastTold = Number.NEGATIVE_INFINITY;
    for (const user of [...this.#typing.keys()]) this.#noteTyping(user, false);
    if (this.state.value.kind !== 'unavailable') this.state.value = { kind: this.lines.value.length === 0 && this.state.value.kind === 'connecting' ? 'connecting' : 'away' };
  }

  #add(line: ChatLine | undefined): void {
    if (line === undefined) return;
    if (line.kind === 'message') this.#noteTyping(line.user, false);
    this.lines.value = [...this.lines.value, line].slice(-MOST_LINES);
  }

  #noteTyping(user: string, isTyping: boolean): void {
    clearTimeout(this.#typing.get(user));
    this.#typing.delete(user);
    if (isTyping && this.#typing.size < MOST_TYPISTS) {
      this.#typing.set(user, setTimeout(() => this.#noteTyping(user, false), FORGOTTEN_AFTER_MS));
    }
    const names = [...this.#typing.keys()];
    if (names.join('\n') !== this.typists.value.join('\n')) this.typists.value = names;
  }
}

function reasonOf(message: string): string {
  return message === 'Invalid namespace' ? 'This server has no chat.' : message;
}

const ANSWER_WITHIN_MS = 5000;
const STOPPED_AFTER_MS = 3000;
const RENEW_EVERY_MS = 1000;
/** Longer than the server keeps a note that is not renewed. */
const FORGOTTEN_AFTER_MS = 6000;
const MOST_LINES = 500;
const MOST_TYPISTS = 50;
