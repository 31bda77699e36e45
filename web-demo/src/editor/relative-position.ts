/** Places in the text that stay put while others edit, as the JSON that Yjs editors exchange. */

import * as Y from 'yjs';

export function relativePosition(text: Y.Text, index: number): unknown {
  return Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index)) as unknown;
}

/** Where a position that a peer sent is now; undefined when it is none of this text. */
export function absolutePosition(text: Y.Text, sent: unknown): number | undefined {
  if (typeof sent !== 'object' || sent === null || text.doc === null) return undefined;
  try {
    const relative = Y.createRelativePositionFromJSON(sent);
    const absolute = Y.createAbsolutePositionFromRelativePosition(relative, text.doc);
    return absolute?.type === text ? Math.max(absolute.index, 0) : undefined;
  } catch {
    return undefined;
  }
}
