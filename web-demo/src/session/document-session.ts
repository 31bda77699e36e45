/**
 * One stay in one document: the Yjs document, its connection, its copy in this browser, and who else is there.
 *
 * Editors and other views bind to `doc`, `editable` and `presence`; they never talk to the provider. Everything goes
 * through the server (no BroadcastChannel): a second tab would otherwise introduce this tab's presence on its own
 * connection, and the server gives a client id to the connection that introduced it first.
 */

import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { encodeName, type DocumentName } from '../document-name';
import type { Profile } from '../profile';
import { socketBase } from '../routes';
import { Watched } from '../watched';
import { AUTH_MESSAGE, decodeAccess, type Access } from './access';
import { DOCUMENT_DELETED, isPermanentClose, reconnectCause, refusalCause, TOO_LARGE, type ConnectionState } from './connection-state';
import { keepAsNewDocument } from './keep-as-new';
import { LocalCopy } from './local-copy';
import { Presence } from './presence';
import { PresenceWire, silentAwareness } from './presence-wire';
import type { Readiness, SavingState } from './saving';
import { SavingClock } from './saving-clock';
import { askReadiness } from './server-readiness';
import { encodeUpdateMessage, readSyncMessages } from './sync-messages';
import { Typing } from './typing';
import { bringsBlocks, Unacknowledged } from './unacknowledged';

export interface SessionOptions {
  readonly name: DocumentName;
  readonly profile: Profile;
  /** What the page asks for; the server may give less. */
  readonly asks: Access;
}

export class DocumentSession {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly text = this.doc.getText('text');
  readonly board = this.doc.getMap('board');
  readonly connection = new Watched<ConnectionState>({ kind: 'connecting' });
  /** Whether there is a content to show, the server's or this browser's; before that, the text here is not its text. */
  readonly loaded = new Watched(false);
  readonly access: Watched<Access>;
  /** Whether the person may change the document; the editors follow it. */
  readonly editable = new Watched(false);
  /** Whether there are edits here that this session may not bring to the server. */
  readonly unsavable = new Watched(false);
  readonly presence: Presence;
  readonly typing: Typing;
  readonly localCopy: LocalCopy;
  readonly #asks: Access;
  readonly #provider: WebsocketProvider;
  readonly #unacknowledged = new Unacknowledged();
  readonly #saving = new SavingClock(() => this.#resend());
  /** What this connection may do, as far as the server has said. */
  #granted: Access;
  #wasOpen = false;
  /** How often in a row the server was ready and took no connection. */
  #refusals = 0;
  /** The person has chosen what becomes of the content that could not be saved. */
  #isGivenUp = false;

  constructor({ name, profile, asks }: SessionOptions) {
    this.#asks = asks;
    this.#granted = asks;
    this.access = new Watched(asks);
    // Before connecting: an awareness state that is still at clock 0 when it is sent is ignored by other clients.
    this.presence = new Presence(this.awareness, profile);
    this.localCopy = new LocalCopy(name, this.doc);
    this.#provider = new WebsocketProvider(socketBase(location), encodeName(name), this.doc, {
      awareness: silentAwareness(this.doc),
      connect: false,
      disableBc: true,
      params: { ack: 'echo', typing: '1', ...(asks === 'read-only' ? { role: 'view' } : {}) },
      shouldReconnect: (event) => !isPermanentClose(event.code),
    });
    new PresenceWire(this.#provider, this.awareness);
    this.typing = new Typing(this.#provider, this.text);
    this.#followContent();
    this.#followAccess();
    this.#followConnection();
    for (const watched of [this.connection, this.loaded, this.access, this.localCopy.state]) {
      watched.watch(() => this.#refresh());
    }
    this.saving.watch(({ kind }) => {
      if (kind === 'saved') void this.localCopy.markSaved();
    });
    // The copy first: what the server has already need not be sent to it again.
    void this.localCopy.opened.then(() => this.#start());
  }

  /** Where our edits are. */
  get saving(): Watched<SavingState> {
    return this.#saving.state;
  }

  /** Whether leaving now would lose what is neither on the server's disk nor in this browser. */
  get wouldLoseEdits(): boolean {
    if (this.#isGivenUp || this.localCopy.isComplete) return false;
    return this.#wasDeleted ? this.hasContent : !this.#unacknowledged.isEmpty;
  }

  /** Whether anything was ever written here, as far as this page knows. */
  get hasContent(): boolean {
    return this.doc.store.clients.size > 0;
  }

  /** Makes a new document with the same content, durable before the copy of this one goes; the answer is its name. */
  async keepAsNew(): Promise<DocumentName> {
    const name = await keepAsNewDocument(this.doc);
    await this.giveUpCopy();
    return name;
  }

  /** Removes this browser's copy, with what only it holds. */
  async giveUpCopy(): Promise<void> {
    this.#isGivenUp = true;
    this.#refresh();
    try {
      await this.localCopy.remove();
    } catch (error) {
      console.info('the copy in this browser could not be removed', error);
    }
  }

  /** Connects again after a final close: something may have changed here. */
  retry(): void {
    if (this.connection.value.kind !== 'closed') return;
    this.connection.value = { kind: 'connecting' };
    this.#provider.connect();
  }

  get #wasDeleted(): boolean {
    const state = this.connection.value;
    return state.kind === 'closed' && state.code === DOCUMENT_DELETED;
  }

  #start(): void {
    if (this.localCopy.hadUnsaved) this.#unacknowledged.doubtEverything();
    if (this.hasContent) this.loaded.value = true;
    this.#provider.connect();
  }

  #followContent(): void {
    // After the provider's own listener, which sends what can be sent.
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this.#provider) return;
      this.#unacknowledged.edited(update, this.#openSocket !== undefined);
      this.#refresh();
    });
    readSyncMessages(this.#provider, {
      answer: (stateVector) => this.#answer(stateVector),
      confirm: (update) => {
        if (!this.#unacknowledged.confirm(update)) return false;
        this.#saving.progress();
        this.#refresh();
        return true;
      },
    });
  }

  #answer(stateVector: Uint8Array): Uint8Array | undefined {
    if (this.#granted === 'read-only') {
      this.unsavable.value = bringsBlocks(Y.encodeStateAsUpdate(this.doc, stateVector));
      return undefined;
    }
    const update = this.#unacknowledged.answer(this.doc, stateVector);
    this.#refresh();
    return update;
  }

  #resend(): void {
    this.#openSocket?.send(encodeUpdateMessage(this.#unacknowledged.resent(this.doc)));
  }

  get #openSocket(): WebSocket | undefined {
    const { ws, wsconnected } = this.#provider;
    return wsconnected && ws !== null && ws.readyState === WebSocket.OPEN ? ws : undefined;
  }

  #followAccess(): void {
    this.#provider.messageHandlers[AUTH_MESSAGE] = (_encoder, decoder) => {
      try {
        this.#learnAccess(decodeAccess(decoder));
      } catch (error) {
        console.warn('a message about access could not be read', error);
      }
    };
  }

  #learnAccess(access: Access | undefined): void {
    if (access === undefined || this.#asks === 'read-only') return;
    this.#granted = access;
    if (access === 'edit') return;
    if (this.connection.value.kind === 'connected' && !this.#unacknowledged.isEmpty) this.unsavable.value = true;
    this.access.value = access;
  }

  #followConnection(): void {
    this.#provider.on('status', ({ status }) => {
      if (status === 'connecting') this.#granted = this.#asks;
      this.#wasOpen = status === 'connected';
    });
    this.#provider.on('sync', (synced) => {
      if (!synced) return;
      this.#refusals = 0;
      if (this.#granted === 'edit') this.unsavable.value = false;
      this.access.value = this.#granted;
      this.loaded.value = true;
      this.connection.value = { kind: 'connected' };
    });
    this.#provider.on('connection-close', (event) => {
      this.#unacknowledged.connectionLost();
      if (event === null || !isPermanentClose(event.code)) this.#lost(event?.code);
    });
    this.#provider.on('closed', ({ code, reason }) => {
      this.connection.value = { kind: 'closed', code, reason };
    });
  }

  #lost(code: number | undefined): void {
    const before = this.connection.value;
    const cause = reconnectCause(code);
    // Browsers do not tell why a connection was refused: what was known before holds, until the server is asked.
    if (cause === 'lost' && !this.#wasOpen) {
      if (before.kind !== 'reconnecting') this.connection.value = { kind: 'reconnecting', cause };
      void askReadiness().then((answer) => this.#explainRefusal(answer));
    } else {
      this.connection.value = { kind: 'reconnecting', cause };
    }
  }

  #explainRefusal(answer: Readiness): void {
    this.#refusals = answer === 'ready' ? this.#refusals + 1 : 0;
    const state = this.connection.value;
    if (state.kind !== 'reconnecting') return;
    const cause = refusalCause(answer, this.#refusals, state.cause);
    if (cause !== state.cause) this.connection.value = { kind: 'reconnecting', cause };
  }

  #refresh(): void {
    const state = this.connection.value;
    const isOpen = state.kind !== 'closed' || state.code === TOO_LARGE;
    this.editable.value = this.loaded.value && isOpen && !this.#isGivenUp && this.access.value === 'edit';
    this.#saving.learn({
      connection: state.kind,
      loaded: this.loaded.value,
      access: this.access.value,
      localCopy: this.localCopy.state.value,
      confirmed: this.#unacknowledged.isEmpty,
    });
  }
}
