/** Addresses: which page a path asks for, and where a document's page, socket and exports are. */

import { encodeName, encodeNameReadably, parseDocumentName, type DocumentName } from './document-name';

export type Route =
  | { readonly page: 'start' }
  | { readonly page: 'document'; readonly name: DocumentName }
  | { readonly page: 'not-found'; readonly problem: string };

export type ExportFormat = 'text' | 'json' | 'update';

export function readRoute(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'start' };
  if (!path.startsWith(DOCUMENT_PATH)) return { page: 'not-found', problem: 'There is no page at this address.' };
  let text: string;
  try {
    text = decodeURIComponent(path.slice(DOCUMENT_PATH.length));
  } catch {
    return { page: 'not-found', problem: 'This address is not a valid document name.' };
  }
  const parsed = parseDocumentName(text);
  if (parsed.ok) return { page: 'document', name: parsed.name };
  return text === '' ? { page: 'start' } : { page: 'not-found', problem: parsed.problem };
}

export function documentPath(name: DocumentName): string {
  return DOCUMENT_PATH + encodeNameReadably(name);
}

/** The address of the y-websocket front; the provider appends `/` and the encoded name. */
export function socketBase(page: Location): string {
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/yjs`;
}

export function exportPath(name: DocumentName, format: ExportFormat): string {
  return `/api/docs/${encodeName(name)}/snapshot?format=${format}`;
}

/** Takes an update and answers when it is durable. */
export function updatesPath(name: DocumentName): string {
  return `/api/docs/${encodeName(name)}/updates`;
}

const DOCUMENT_PATH = '/d/';
