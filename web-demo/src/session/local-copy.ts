/**
 * The document's copy in this browser: what makes offline editing survive a reload.
 *
 * Not y-indexeddb, which cannot say when an edit is stored, leaves rejections of a full or blocked database unhandled, and
 * throws into the editor when another tab has deleted the database. The promise: `isComplete` only while every change of
 * the document is in the database, and no trouble with the database reaches an editor.
 */

import * as Y from 'yjs';
import type { DocumentName } from '../document-name';
import { Watched } from '../watched';
import {
  appendUpdates,
  compactCopy,
  openDatabase,
  readCopy,
  removeDatabase,
  removeMarks,
  type Mark,
} from './local-database';

export type LocalCopyState =
  | 'opening'
  | 'keeping'
  /** The browser does not let us keep anything, or no more. */
  | 'failed'
  | 'removed';

export class LocalCopy {
  readonly state = new Watched<LocalCopyState>('opening');
  /** Settles when the stored content is in the document, or when there will be none. */
  readonly opened: Promise<void>;
  readonly #name: DocumentName;
  readonly #doc: Y.Doc;
  #database: IDBDatabase | undefined;
  #waiting: Uint8Array[] = [];
  /** Transactions under way. */
  #writing = 0;
  #isPaused = false;
  #appended = 0;
  /** Edits of this tab; its mark carries the number. */
  #edits = 0;
  /** How many of them the server has. */
  #savedEdits = 0;
  #marks: Mark[] = [];
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(name: DocumentName, doc: Y.Doc) {
    this.#name = name;
    this.#doc = doc;
    doc.on('update', this.#keep);
    this.opened = this.#open();
  }

  /** Whether everything that the document holds is stored. */
  get isComplete(): boolean {
    return this.state.value === 'keeping' && this.#waiting.length === 0 && this.#writing === 0;
  }

  /** Whether the copy, as it was opened, held edits of which no page has seen that the server has them. */
  get hadUnsaved(): boolean {
    return this.#marks.length > 0;
  }

  /** The server has everything that this tab holds. */
  async markSaved(): Promise<void> {
    const seen = this.#edits > this.#savedEdits ? [...this.#marks, this.#mark] : this.#marks;
    if (this.#database === undefined || seen.length === 0) return;
    this.#marks = [];
    this.#savedEdits = this.#edits;
    try {
      await removeMarks(this.#database, seen);
    } catch {
      // A mark that stays costs the next page one sending of the whole document.
    }
  }

  /** Takes what is stored away, for all tabs. Nothing is stored from then on. */
  async remove(): Promise<void> {
    this.#stop('removed');
    const database = this.#database;
    this.#database = undefined;
    if (database !== undefined) await removeDatabase(database, this.#name);
  }

  get #mark(): Mark {
    return { tab: this.#doc.clientID, edits: this.#edits };
  }

  async #open(): Promise<void> {
    try {
      const database = await openDatabase(this.#name);
      database.onversionchange = () => {
        database.close();
        this.#stop('removed');
      };
      database.onclose = () => this.#stop('failed');
      const { updates, marks } = await readCopy(database);
      if (this.state.value !== 'opening') {
        database.close();
        return;
      }
      this.#marks = [...marks].map(([tab, edits]) => ({ tab, edits }));
      const load = (): void => updates.forEach((update) => Y.applyUpdate(this.#doc, update, this));
      Y.transact(this.#doc, load, this, false);
      this.#database = database;
      this.#appended = updates.length;
      this.state.value = 'keeping';
    } catch (error) {
      console.info('this browser keeps no copy of the document', error);
      if (this.state.value === 'opening') this.#stop('failed');
      return;
    }
    this.#write();
  }

  readonly #keep = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (origin === this) return;
    if (transaction.local) this.#edits += 1;
    this.#waiting.push(update);
    this.#write();
  };

  /** At once and not one after the other: what is handed to the database outlives the page. */
  #write(): void {
    if (this.#database === undefined || this.#isPaused || this.#waiting.length === 0 || this.#writing >= MOST_WRITING) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#writing += 1;
    void this.#append(this.#database, batch).finally(() => {
      this.#writing -= 1;
      this.#write();
    });
  }

  async #append(database: IDBDatabase, batch: readonly Uint8Array[]): Promise<void> {
    try {
      await appendUpdates(database, batch, this.#edits > this.#savedEdits ? this.#mark : undefined);
      this.#appended += batch.length;
      if (this.#appended >= COMPACT_AFTER) {
        this.#appended = 1;
        await compactCopy(database);
      }
      if (this.state.value === 'failed' && !this.#isPaused) this.state.value = 'keeping';
    } catch (error) {
      console.info('this browser could not keep an edit', error);
      this.#pause(batch);
    }
  }

  /** Waits for room in a full database; what was not written waits as well. */
  #pause(batch: readonly Uint8Array[]): void {
    if (this.#database === undefined) return;
    this.#isPaused = true;
    this.#waiting = [Y.mergeUpdates([...batch, ...this.#waiting])];
    this.state.value = 'failed';
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#isPaused = false;
      this.#write();
    }, RETRY_AFTER_MS);
  }

  #stop(state: 'failed' | 'removed'): void {
    clearTimeout(this.#retryTimer);
    this.#doc.off('update', this.#keep);
    this.#waiting = [];
    if (state === 'failed') this.#database = undefined;
    this.state.value = state;
  }
}

/** So many updates are read at the next opening at most. */
const COMPACT_AFTER = 500;
/** With more under way, updates wait and go together. */
const MOST_WRITING = 16;
const RETRY_AFTER_MS = 10_000;
