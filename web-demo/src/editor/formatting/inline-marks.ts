/**
 * Bold, italic, strikethrough and inline code, put on and taken off the selection.
 *
 * Marks never cross lines that were not marked together, never cut another mark in two, and never enclose the spaces at
 * their ends, since Markdown would then show them as they are. A part of marked text that loses its mark leaves the rest
 * marked.
 */

import { EditorSelection, type ChangeSpec, type EditorState, type TransactionSpec } from '@codemirror/state';
import { contentOffset, parseMarkedLine } from './marked-line';
import { CODE_BLOCKS, isCodeBlockAt, nodesBetween, type SyntaxNode } from './syntax';

export interface InlineMark {
  readonly node: string;
  readonly delimiter: string;
  readonly sign: string;
}

export const BOLD: InlineMark = { node: 'StrongEmphasis', delimiter: 'EmphasisMark', sign: '**' };
export const ITALIC: InlineMark = { node: 'Emphasis', delimiter: 'EmphasisMark', sign: '*' };
export const STRIKETHROUGH: InlineMark = { node: 'Strikethrough', delimiter: 'StrikethroughMark', sign: '~~' };
export const INLINE_CODE: InlineMark = { node: 'InlineCode', delimiter: 'CodeMark', sign: '`' };

/** Whether all of the selected text has the mark. */
export function hasInlineMark(state: EditorState, mark: InlineMark): boolean {
  const { from, to, empty } = state.selection.main;
  if (empty) return markedAround(state, from, mark) !== undefined;
  const spans = selectedSpans(state);
  return spans.length > 0 && spans.every((span) => isCovered(span, marked(state, span, mark))) && from < to;
}

export function toggleInlineMark(state: EditorState, mark: InlineMark): TransactionSpec | null {
  if (state.selection.main.empty) return toggleAtCursor(state, mark);
  const spans = selectedSpans(state);
  if (spans.length === 0) return null;
  const changes = hasInlineMark(state, mark) ? unmark(state, spans, mark) : spread(state, spans, mark);
  return keepingSelection(state, changes);
}

function toggleAtCursor(state: EditorState, mark: InlineMark): TransactionSpec | null {
  const at = state.selection.main.head;
  if (isCodeBlockAt(state, at)) return null;
  const { sign } = mark;
  if (isEmptyPair(state, at, sign)) {
    return { changes: { from: at - sign.length, to: at + sign.length }, userEvent: 'delete' };
  }
  const around = markedAround(state, at, mark);
  if (around !== undefined) {
    // At the end of marked text one has finished it: step out, as with the key in a word processor.
    if (at >= innerEnd(around, mark)) return { selection: EditorSelection.cursor(around.to), userEvent: 'select' };
    return keepingSelection(state, signs(around, mark));
  }
  const word = state.wordAt(at);
  if (word !== null && word.from < at && at < word.to) return keepingSelection(state, spread(state, [word], mark));
  return {
    changes: { from: at, insert: sign + sign },
    selection: EditorSelection.cursor(at + sign.length),
    userEvent: 'input',
  };
}

function unmark(state: EditorState, spans: readonly Span[], mark: InlineMark): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  const seen = new Set<number>();
  for (const node of spans.flatMap((span) => marked(state, span, mark))) {
    if (seen.has(node.from)) continue;
    seen.add(node.from);
    const [opening, closing] = signs(node, mark);
    if (opening === undefined || closing === undefined) continue;
    const content = { from: opening.to, to: closing.from };
    const bare = withinContent(state, spans.filter((span) => overlaps(span, node)), content);
    const before = trimmed(state, { from: content.from, to: bare.from });
    const after = trimmed(state, { from: bare.to, to: content.to });
    const sign = state.sliceDoc(opening.from, opening.to);
    if (before === undefined) changes.push(opening);
    else changes.push({ from: before.to, insert: sign });
    if (after === undefined) changes.push(closing);
    else changes.push({ from: after.from, insert: sign });
  }
  return changes;
}

/** From the first to the last of the spans, inside of `content` and cutting none of its other marks in two. */
function withinContent(state: EditorState, spans: readonly Span[], content: Span): Span {
  let from = Math.max(content.from, Math.min(...spans.map((span) => span.from)));
  let to = Math.min(content.to, Math.max(...spans.map((span) => span.to)));
  for (const inner of nodesBetween(state, content.from, content.to, INLINE)) {
    if (inner.from < content.from || inner.to > content.to) continue;
    if (inner.from < from && from < inner.to) from = inner.from;
    if (inner.from < to && to < inner.to) to = inner.to;
  }
  return { from, to };
}

/** Marks each span, taking into it whatever it touches that is marked already. */
function spread(state: EditorState, spans: readonly Span[], mark: InlineMark): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  for (const span of joined(spans.map((each) => extended(state, each, mark)))) {
    const inside = marked(state, span, mark).flatMap((node) => signs(node, mark));
    const sign = mark === INLINE_CODE ? fence(state.sliceDoc(span.from, span.to)) : mark.sign;
    changes.push({ from: span.from, insert: sign }, ...inside, { from: span.to, insert: sign });
  }
  return changes;
}

/** Grows a span until it cuts no inline element in two. */
function extended(state: EditorState, span: Span, mark: InlineMark): Span {
  let { from, to } = span;
  for (const node of nodesBetween(state, from, to, INLINE)) {
    if (node.to <= from || node.from >= to) continue;
    const whole = node.name === mark.node || ATOMS.has(node.name);
    const cutsStart = node.from < from && (whole || node.to < to);
    const cutsEnd = node.to > to && (whole || node.from > from);
    if (cutsStart) from = node.from;
    if (cutsEnd) to = node.to;
  }
  return from === span.from && to === span.to ? span : extended(state, { from, to }, mark);
}

function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last !== undefined && span.from < last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else result.push(span);
  }
  return result;
}

/** The selected text of each line, without what makes it a list item or a heading, and without spaces at its ends. */
function selectedSpans(state: EditorState): Span[] {
  const { from, to } = state.selection.main;
  const spans: Span[] = [];
  for (let position = from; position <= to; ) {
    const line = state.doc.lineAt(position);
    const start = line.from + contentOffset(parseMarkedLine(line.text));
    const span = trimmed(state, { from: Math.max(from, start), to: Math.min(to, line.to) });
    if (span !== undefined) spans.push(span);
    position = line.to + 1;
  }
  const code = nodesBetween(state, from, to, CODE_BLOCKS);
  return spans.filter((span) => !code.some((block) => overlaps(span, block)));
}

function trimmed(state: EditorState, { from, to }: Span): Span | undefined {
  if (from >= to) return undefined;
  const text = state.sliceDoc(from, to);
  const start = from + text.length - text.trimStart().length;
  const end = from + text.trimEnd().length;
  return start < end ? { from: start, to: end } : undefined;
}

function marked(state: EditorState, span: Span, mark: InlineMark): SyntaxNode[] {
  return nodesBetween(state, span.from, span.to, new Set([mark.node])).filter((node) => overlaps(span, node));
}

function markedAround(state: EditorState, at: number, mark: InlineMark): SyntaxNode | undefined {
  return nodesBetween(state, at, at, new Set([mark.node])).findLast((node) => node.from < at && at < node.to);
}

function isCovered(span: Span, nodes: readonly SyntaxNode[]): boolean {
  let reached = span.from;
  for (const node of nodes) {
    if (node.from <= reached) reached = Math.max(reached, node.to);
  }
  return reached >= span.to;
}

/** An opening and a closing sign with the cursor between; three stars would be a part of something else. */
function isEmptyPair(state: EditorState, at: number, sign: string): boolean {
  const before = /(.)\1*$/.exec(state.sliceDoc(Math.max(0, at - 4), at))?.[0];
  const after = /^(.)\1*/.exec(state.sliceDoc(at, at + 4))?.[0];
  return before === sign && after === sign;
}

function signs(node: SyntaxNode, { delimiter }: InlineMark): Span[] {
  const found = node.getChildren(delimiter).map(({ from, to }) => ({ from, to }));
  const [opening] = found;
  const closing = found.at(-1);
  return opening === undefined || closing === undefined || opening === closing ? [] : [opening, closing];
}

function innerEnd(node: SyntaxNode, mark: InlineMark): number {
  return signs(node, mark)[1]?.from ?? node.to;
}

/** More backticks than the code itself has in a row. */
function fence(code: string): string {
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  return '`'.repeat(longest + 1);
}

/** The selection stays on the text that was selected, inside of new marks. */
function keepingSelection(state: EditorState, specs: ChangeSpec[]): TransactionSpec {
  const changes = state.changes(specs);
  const { anchor, head, from, to, empty } = state.selection.main;
  if (empty) return { changes, userEvent: 'input' };
  const start = changes.mapPos(from, 1);
  const end = Math.max(start, changes.mapPos(to, -1));
  const selection = anchor <= head ? EditorSelection.single(start, end) : EditorSelection.single(end, start);
  return { changes, selection, userEvent: 'input' };
}

function overlaps(a: Span, b: Span): boolean {
  return a.from < b.to && b.from < a.to;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const ATOMS: ReadonlySet<string> = new Set(['InlineCode', 'Link', 'Image', 'Autolink', 'URL', 'Escape', 'Entity']);
const INLINE: ReadonlySet<string> = new Set([...ATOMS, 'StrongEmphasis', 'Emphasis', 'Strikethrough']);
