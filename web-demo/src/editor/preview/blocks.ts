/**
 * The top-level blocks of a Markdown text, kept in step with its edits.
 *
 * A block depends on nothing before it, so after an edit only the blocks around it are parsed anew, until the parser
 * comes to where a block began before. That keeps typing in a text of hundreds of pages as light as in a short one.
 */

import { topLevelBlocks, type References } from './markdown';

export interface Block {
  /** With the blank lines behind it; the blocks' sources together are the text. */
  readonly source: string;
  readonly references: References | undefined;
}

/** A range that changed: `from`–`to` before, `from`–`to` after, as in the editor's change sets. */
export interface ChangedRange {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/** `blocks` takes the place of the old blocks `start` to `end`. */
export interface BlockEdit {
  readonly start: number;
  readonly end: number;
  readonly blocks: readonly Block[];
}

export function splitBlocks(text: string): Block[] {
  return [...blocksFrom(text, 0)].map(({ block }) => block);
}

/** What changes in the blocks of the text as it was, from first to last, so that they are those of `text`. */
export function blockEdits(old: readonly Block[], text: string, ranges: readonly ChangedRange[]): BlockEdit[] {
  const starts = startsOf(old);
  const edits: BlockEdit[] = [];
  let doneUntil = 0;
  let next = 0;
  let shift = 0;
  let changedUntil = 0;
  const absorb = (range: ChangedRange): void => {
    shift = range.toB - range.toA;
    changedUntil = range.toB;
    next += 1;
  };
  for (let range = ranges[next]; range !== undefined; range = ranges[next]) {
    const start = Math.max(doneUntil, firstAffected(old, starts, range.fromA));
    const from = (starts[start] ?? starts.at(-1) ?? 0) + shift;
    const blocks: Block[] = [];
    let end = old.length;
    absorb(range);
    for (const { block, to } of blocksFrom(text, from)) {
      blocks.push(block);
      for (let other = ranges[next]; other !== undefined && other.fromB <= to; other = ranges[next]) absorb(other);
      const same = to >= changedUntil && to < text.length ? indexOf(starts, to - shift) : -1;
      if (same <= start || same >= old.length) continue;
      end = same;
      break;
    }
    edits.push({ start, end, blocks });
    doneUntil = end;
    if (end === old.length) break;
  }
  return edits;
}

/** Where each block begins, and, at the end, where the last one ends. */
export function startsOf(blocks: readonly { readonly source: string }[]): number[] {
  const starts = [0];
  let position = 0;
  for (const { source } of blocks) starts.push((position += source.length));
  return starts;
}

/** The block that holds `position`; 0 when there is none. */
export function blockAt(starts: readonly number[], position: number): number {
  let low = 0;
  let high = Math.max(0, starts.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** An edit may join a block with the one before, and that with those that no blank line divides it from. */
function firstAffected(blocks: readonly Block[], starts: readonly number[], position: number): number {
  let at = blockAt(starts, position) - 1;
  while (at > 0 && !/\n[ \t]*\n[ \t]*$/.test(blocks[at - 1]?.source.slice(-MARGIN) ?? '')) at -= 1;
  return Math.max(0, at);
}

function indexOf(starts: readonly number[], position: number): number {
  const at = blockAt(starts, position);
  return starts[at] === position ? at : -1;
}

/**
 * The blocks of `text` from the block that begins at `from`, read in windows: a reader who stops early has not paid for the
 * rest. A block counts only when the one behind it ended inside of the window too, for its end may hang on what follows.
 */
function* blocksFrom(text: string, from: number): Generator<{ readonly block: Block; readonly to: number }> {
  let size = WINDOW;
  for (let begin = from; begin < text.length; ) {
    const lineEnd = text.indexOf('\n', begin + size);
    const until = lineEnd < 0 ? text.length : lineEnd + 1;
    // The editor ends lines at `\n` alone, the parser would at others too.
    const window = text.slice(begin, until).replaceAll('\r', ' ');
    let reached = begin;
    let waiting: { readonly block: Block; readonly to: number } | undefined;
    let position = begin;
    for (const { end, references } of topLevelBlocks(window)) {
      const to = begin + end;
      if (to === until && until < text.length) break;
      if (waiting !== undefined) {
        yield waiting;
        reached = waiting.to;
      }
      waiting = { block: { source: text.slice(position, to), references }, to };
      position = to;
    }
    if (until === text.length) {
      if (waiting !== undefined) yield waiting;
      else if (position < until) yield { block: { source: text.slice(position), references: undefined }, to: until };
      return;
    }
    size = reached === begin ? size * 4 : WINDOW;
    begin = reached;
  }
}

const WINDOW = 16_384;
/** How much of a block's end is looked at for its blank line. */
const MARGIN = 200;
