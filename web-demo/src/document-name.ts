/**
 * Document names, parsed once.
 *
 * The server takes any UTF-8 name of 1 to 1024 bytes without control characters. A name that holds a path segment `.` or
 * `..` cannot stand unescaped in an address, because browsers resolve such segments away; `encodeName` escapes its
 * slashes, and the two names that are nothing else are refused.
 */

declare const documentName: unique symbol;

/** A name that the server accepts. */
export type DocumentName = string & { readonly [documentName]: true };

export type ParsedName =
  | { readonly ok: true; readonly name: DocumentName }
  | { readonly ok: false; readonly problem: string };

export function parseDocumentName(text: string): ParsedName {
  if (text === '') return { ok: false, problem: 'Give the document a name.' };
  if (text === '.' || text === '..') return { ok: false, problem: 'A document cannot be called “.” or “..”.' };
  if (!text.isWellFormed()) return { ok: false, problem: 'This name is not valid text.' };
  if (CONTROL_CHARACTER.test(text)) return { ok: false, problem: 'A name cannot contain control characters.' };
  if (new TextEncoder().encode(text).length > MAX_BYTES) return { ok: false, problem: 'This name is too long.' };
  return { ok: true, name: text as DocumentName };
}

/** The name as one path segment: slashes are escaped too, and apostrophes, so that a shell can quote it. */
export function encodeName(name: DocumentName): string {
  return encodeURIComponent(name).replaceAll("'", '%27');
}

/** The name as a path for people: slashes stay readable where the browser would not resolve them away. */
export function encodeNameReadably(name: DocumentName): string {
  const segments = name.split('/');
  const resolvable = segments.some((segment) => segment === '' || segment === '.' || segment === '..');
  return resolvable ? encodeName(name) : segments.map(encodeURIComponent).join('/');
}

const MAX_BYTES = 1024;
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;
