/** What a text field changed, as one replaced part. */

export interface Replacement {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/**
 * The part in which two texts differ; undefined when they are equal. Where it could lie in several places (the second of two
 * equal letters was typed), it ends at the cursor.
 */
export function replacedPart(before: string, after: string, cursor: number): Replacement | undefined {
  if (before === after) return undefined;
  const most = Math.min(before.length, after.length);
  let end = 0;
  const mostEnd = Math.min(most, after.length - Math.min(cursor, after.length));
  while (end < mostEnd && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  let start = 0;
  while (start < most - end && before[start] === after[start]) start += 1;
  // Both halves of a letter outside the basic plane go together.
  if (start > 0 && isHighSurrogate(after.charCodeAt(start - 1))) start -= 1;
  if (end > 0 && isLowSurrogate(after.charCodeAt(after.length - end))) end -= 1;
  return { at: start, removed: before.length - end - start, inserted: after.slice(start, after.length - end) };
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
