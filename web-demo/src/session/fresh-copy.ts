/**
 * The content of a document in a new one that shares no history with it.
 *
 * The server refuses whatever was part of a deleted document, so that a copy is typed anew, so to speak: the text and the
 * board's nested types and values, all under a client id of their own.
 */

import * as Y from 'yjs';

/** `source` as it is now; formatting of the text is kept, the history is not. */
export function freshCopy(source: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  copy.transact(() => {
    copy.getText('text').applyDelta(copiedDelta(source.getText('text')));
    const board = copy.getMap('board');
    source.getMap('board').forEach((value, key) => {
      const copied = copiedValue(value);
      if (copied !== undefined) board.set(key, copied);
    });
  });
  return copy;
}

/** Undefined for what cannot stand in two documents: another document, or a type of which nothing is known. */
function copiedValue(value: unknown): unknown {
  if (value instanceof Y.Text) return copiedText(value);
  if (value instanceof Y.Map) {
    const copies = [...value.entries()].map(([key, entry]): [string, unknown] => [key, copiedValue(entry)]);
    return new Y.Map(copies.filter(([, entry]) => entry !== undefined));
  }
  if (value instanceof Y.Array) {
    return Y.Array.from(value.toArray().map(copiedValue).filter((entry) => entry !== undefined) as string[]);
  }
  if (value instanceof Y.AbstractType || value instanceof Y.Doc) return undefined;
  return value instanceof Uint8Array ? value.slice() : structuredClone(value);
}

function copiedText(text: Y.Text): Y.Text {
  const copy = new Y.Text();
  copy.applyDelta(copiedDelta(text));
  return copy;
}

function copiedDelta(text: Y.Text): unknown[] {
  const delta = text.toDelta() as readonly { readonly insert: unknown }[];
  return delta.flatMap((part) => {
    const insert = copiedValue(part.insert);
    return insert === undefined ? [] : [{ ...part, insert }];
  });
}
