/**
 * One stay in one document: the Yjs document, its connection and who else is there.
 *
 * Editors and other views bind to `doc` and `awareness`; they never talk to the provider. Everything goes through the
 * server (no BroadcastChannel): a second tab would otherwise introduce this tab's presence on its own connection, and the
 * server gives a client id to the connection that introduced it first.
 */

import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { encodeName, type DocumentName } from '../document-name';
import type { Profile } from '../profile';
import { socketBase } from '../routes';
import { Watched } from '../watched';
import { isPermanentClose, type ConnectionState } from './connection-state';
import { Presence } from './presence';
import { Typing } from './typing';

export class DocumentSession {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly text = this.doc.getText('text');
  readonly connection = new Watched<ConnectionState>({ kind: 'connecting' });
  /** Whether the whole document has arrived once; before that, its text here is not its text. */
  readonly loaded = new Watched(false);
  readonly presence: Presence;
  readonly typing: Typing;
  readonly #provider: WebsocketProvider;
  #unsent = false;

  constructor(name: DocumentName, profile: Profile) {
    // Before connecting: an awareness state that is still at clock 0 when it is sent is ignored by other clients.
    this.presence = new Presence(this.awareness, profile);
    this.#provider = new WebsocketProvider(socketBase(location), encodeName(name), this.doc, {
      awareness: this.awareness,
      connect: false,
      disableBc: true,
      params: { typing: '1' },
      shouldReconnect: (event) => !isPermanentClose(event.code),
    });
    this.typing = new Typing(this.#provider, this.text);
    this.#followConnection();
    this.#followEdits();
    this.#provider.connect();
  }

  /** Whether this tab holds edits that the server has not been sent. */
  get hasUnsentEdits(): boolean {
    return this.#unsent;
  }

  #followConnection(): void {
    this.#provider.on('status', ({ status }) => {
      // In a microtask, so that the state is sent after the handshake's first frame.
      if (status === 'connected') queueMicrotask(() => this.#announcePresence());
      if (status === 'disconnected') this.#forgetPresenceClocks();
    });
    this.#provider.on('sync', (synced) => {
      if (!synced) return;
      this.#unsent = false;
      this.connection.value = { kind: 'connected' };
      this.loaded.value = true;
    });
    this.#provider.on('connection-close', () => {
      this.connection.value = { kind: 'reconnecting' };
    });
    this.#provider.on('closed', ({ code, reason }) => {
      this.connection.value = { kind: 'closed', code, reason };
    });
  }

  #followEdits(): void {
    this.doc.on('update', (_update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (transaction.local && this.connection.value.kind !== 'connected') this.#unsent = true;
    });
  }

  /** Sends our state with a newer clock: members who saw us leave ignore the old one until its renewal, 15 s later. */
  #announcePresence(): void {
    this.awareness.setLocalState(this.awareness.getLocalState());
  }

  /** Forgets the clocks of members that went with the connection, so that their unchanged states count as new again. */
  #forgetPresenceClocks(): void {
    for (const clientId of this.awareness.meta.keys()) {
      if (!this.awareness.states.has(clientId)) this.awareness.meta.delete(clientId);
    }
  }
}
