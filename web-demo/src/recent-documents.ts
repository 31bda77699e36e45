/** The documents that this browser opened last, newest first. */

import { readStored, writeStored } from './browser-storage';
import { parseDocumentName, type DocumentName } from './document-name';

export interface RecentDocument {
  readonly name: DocumentName;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
}

export function recentDocuments(): readonly RecentDocument[] {
  const stored = readStored(KEY);
  if (!Array.isArray(stored)) return [];
  return stored.flatMap(parseEntry).slice(0, MAX_ENTRIES);
}

export function rememberDocument(name: DocumentName): void {
  writeStored(KEY, [{ name, openedAt: Date.now() }, ...others(name)].slice(0, MAX_ENTRIES));
}

export function forgetDocument(name: DocumentName): void {
  writeStored(KEY, others(name));
}

function others(name: DocumentName): readonly RecentDocument[] {
  return recentDocuments().filter((entry) => entry.name !== name);
}

function parseEntry(entry: unknown): RecentDocument[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { name, openedAt } = entry as { name?: unknown; openedAt?: unknown };
  if (typeof name !== 'string' || typeof openedAt !== 'number' || !Number.isFinite(openedAt)) return [];
  const parsed = parseDocumentName(name);
  return parsed.ok ? [{ name: parsed.name, openedAt }] : [];
}

const KEY = 'ydock.recent';
const MAX_ENTRIES = 12;
