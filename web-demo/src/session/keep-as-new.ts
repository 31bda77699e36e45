/** Makes what a document holds into a new document, in this browser first and else on the server. */

import * as Y from 'yjs';
import type { DocumentName } from '../document-name';
import { randomDocumentName } from '../random-names';
import { updatesPath } from '../routes';
import { freshCopy } from './fresh-copy';
import { appendUpdates, openDatabase } from './local-database';

/** Settles when the new document is durable somewhere; its page brings it to the server. Fails when it is nowhere. */
export async function keepAsNewDocument(source: Y.Doc): Promise<DocumentName> {
  const name = randomDocumentName();
  const copy = freshCopy(source);
  const update = Y.encodeStateAsUpdate(copy);
  try {
    await storeHere(name, update, copy.clientID);
  } catch {
    await storeAtServer(name, update);
  } finally {
    copy.destroy();
  }
  return name;
}

async function storeHere(name: DocumentName, update: Uint8Array, tab: number): Promise<void> {
  const database = await openDatabase(name);
  try {
    await appendUpdates(database, [update], { tab, edits: 1 });
  } finally {
    database.close();
  }
}

async function storeAtServer(name: DocumentName, update: Uint8Array): Promise<void> {
  const answer = await fetch(updatesPath(name), { method: 'POST', body: update.slice() });
  if (!answer.ok) throw new Error(`the server refused the copy with ${answer.status}`);
}
