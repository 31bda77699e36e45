/**
 * The IndexedDB database behind a document's local copy: updates in the order of writing, and marks of unsaved edits.
 *
 * Several tabs may have it open. Every function is one transaction and settles when that is complete or has failed; none
 * throws at once. A mark is a tab's number of edits that the server had not confirmed when the tab wrote last.
 */

import * as Y from 'yjs';
import type { DocumentName } from '../document-name';

export interface StoredCopy {
  readonly updates: readonly Uint8Array[];
  readonly marks: ReadonlyMap<number, number>;
}

export interface Mark {
  readonly tab: number;
  readonly edits: number;
}

/** Fails when the browser offers no database, refuses it, or does not answer in time. */
export async function openDatabase(name: DocumentName): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName(name), VERSION);
  return new Promise((resolve, reject) => {
    let gaveUp = false;
    const timer = setTimeout(() => {
      gaveUp = true;
      reject(new Error('the browser did not open its database in time'));
    }, OPEN_WITHIN_MS);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(UPDATES, { autoIncrement: true });
      request.result.createObjectStore(MARKS);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      if (gaveUp) request.result.close();
      else resolve(request.result);
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(request.error ?? new Error('the browser refused its database'));
    };
  });
}

export async function readCopy(database: IDBDatabase): Promise<StoredCopy> {
  const transaction = database.transaction([UPDATES, MARKS], 'readonly');
  const updates = transaction.objectStore(UPDATES).getAll() as IDBRequest<Uint8Array[]>;
  const tabs = transaction.objectStore(MARKS).getAllKeys() as IDBRequest<number[]>;
  const edits = transaction.objectStore(MARKS).getAll() as IDBRequest<number[]>;
  await complete(transaction);
  return { updates: updates.result, marks: new Map(tabs.result.map((tab, at) => [tab, edits.result[at] ?? 0])) };
}

/** Is written even when the page ends right after the call. */
export async function appendUpdates(database: IDBDatabase, updates: readonly Uint8Array[], mark?: Mark): Promise<void> {
  const transaction = database.transaction([UPDATES, MARKS], 'readwrite');
  for (const update of updates) transaction.objectStore(UPDATES).add(update);
  if (mark !== undefined) transaction.objectStore(MARKS).put(mark.edits, mark.tab);
  transaction.commit();
  await complete(transaction);
}

/** Removes marks that are still as they were seen: a newer one stands for newer edits. */
export async function removeMarks(database: IDBDatabase, marks: readonly Mark[]): Promise<void> {
  const transaction = database.transaction(MARKS, 'readwrite');
  const store = transaction.objectStore(MARKS);
  for (const { tab, edits } of marks) {
    const stored = store.get(tab);
    stored.onsuccess = () => {
      if (stored.result === edits) store.delete(tab);
    };
  }
  await complete(transaction);
}

/** Replaces all updates by one with the same content. */
export async function compactCopy(database: IDBDatabase): Promise<void> {
  const transaction = database.transaction(UPDATES, 'readwrite');
  const store = transaction.objectStore(UPDATES);
  const updates = store.getAll() as IDBRequest<Uint8Array[]>;
  updates.onsuccess = () => {
    try {
      const whole = compacted(updates.result);
      store.clear();
      store.add(whole);
    } catch {
      transaction.abort();
    }
  };
  await complete(transaction);
}

/** Empties the database at once and has it deleted when the last tab has closed it. */
export async function removeDatabase(database: IDBDatabase, name: DocumentName): Promise<void> {
  const transaction = database.transaction([UPDATES, MARKS], 'readwrite');
  transaction.objectStore(UPDATES).clear();
  transaction.objectStore(MARKS).clear();
  await complete(transaction);
  database.close();
  indexedDB.deleteDatabase(databaseName(name));
}

function databaseName(name: DocumentName): string {
  return `ydock:${name}`;
}

/** Through a document, which throws away what was deleted. */
function compacted(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  const whole = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return whole;
}

function complete(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser did not write'));
  });
}

const VERSION = 1;
const UPDATES = 'updates';
const MARKS = 'unsaved';
const OPEN_WITHIN_MS = 3000;
