/** Lists, quotes and headings, put on and taken off whole lines. */

import type { ChangeSpec, EditorState, Line, TransactionSpec } from '@codemirror/state';
import { isBlank, parseMarkedLine, type MarkedLine } from './marked-line';
import { nodesBetween } from './syntax';

export type ListKind = 'bulleted' | 'numbered' | 'task';
/** 0 is a plain line. */
export type HeadingLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** The list that all selected lines are in; undefined when they differ or are in none. */
export function listKind(state: EditorState): ListKind | undefined {
  const kinds = new Set(textLines(state).map(({ parts }) => kindOf(parts)));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

/** Makes the selected lines items of such a list, whatever list they were in; or plain lines when they all are already. */
export function toggleList(state: EditorState, kind: ListKind): TransactionSpec {
  const wanted = listKind(state) === kind ? undefined : kind;
  const counts = new Map<string, number>();
  const parents: { readonly before: number; readonly after: number }[] = [];
  const changes: ChangeSpec[] = [];
  for (const { line, parts } of textLines(state)) {
    const indent = columns(parts.indent);
    while (indent < (parents.at(-1)?.before ?? 0)) parents.pop();
    const parent = parents.at(-1);
    const newIndent = parent === undefined ? parts.indent : ' '.repeat(parent.after + indent - parent.before);
    const place = `${parts.quote}|${columns(newIndent)}`;
    for (const other of counts.keys()) if (other.length > place.length) counts.delete(other);
    const number = (counts.get(place) ?? 0) + 1;
    counts.set(place, number);
    const marker = markerFor(wanted, number, parts);
    if (parts.marker !== '') parents.push({ before: indent + parts.marker.length, after: columns(newIndent) + marker.replace(BOX, '').length });
    const from = line.from + parts.quote.length;
    const to = from + parts.indent.length + parts.marker.length + parts.box.length;
    if (state.sliceDoc(from, to) !== newIndent + marker) changes.push(...narrowed(from, parts, newIndent, marker));
  }
  return withCursorBehind(state, changes);
}

export function isQuoted(state: EditorState): boolean {
  return textLines(state).every(({ parts }) => parts.quote.includes('>'));
}

export function toggleQuote(state: EditorState): TransactionSpec {
  const quoted = isQuoted(state);
  const changes = selectedLines(state).flatMap((line): ChangeSpec[] => {
    if (!quoted) return [{ from: line.from, insert: line.length === 0 && !isOnly(state, line) ? '>' : '> ' }];
    const mark = QUOTE_MARK.exec(line.text)?.[0];
    return mark === undefined ? [] : [{ from: line.from, to: line.from + mark.length }];
  });
  return withCursorBehind(state, changes);
}

/** The level of the selection's first line. */
export function headingLevel(state: EditorState): HeadingLevel {
  const line = state.doc.lineAt(state.selection.main.from);
  const underlined = underlineOf(state, line);
  if (underlined !== undefined) return underlined.level;
  return parseMarkedLine(line.text).heading.trim().length as HeadingLevel;
}

export function setHeading(state: EditorState, level: HeadingLevel): TransactionSpec {
  const mark = level === 0 ? '' : `${'#'.repeat(level)} `;
  const changes = textLines(state).flatMap(({ line, parts }): ChangeSpec[] => {
    const from = line.from + parts.quote.length + parts.indent.length + parts.marker.length + parts.box.length;
    const underline = underlineOf(state, line);
    return [
      { from, to: from + parts.heading.length, insert: mark },
      ...(underline === undefined ? [] : [{ from: underline.from, to: underline.to }]),
    ];
  });
  return withCursorBehind(state, changes);
}

function kindOf({ marker, box }: MarkedLine): ListKind | undefined {
  if (box !== '') return 'task';
  if (marker === '') return undefined;
  return /\d/.test(marker) ? 'numbered' : 'bulleted';
}

function markerFor(kind: ListKind | undefined, number: number, { box }: MarkedLine): string {
  switch (kind) {
    case undefined:
      return '';
    case 'bulleted':
      return '- ';
    case 'numbered':
      return `${number}. `;
    case 'task':
      return `- ${box === '' ? '[ ] ' : box}`;
  }
}

/** Indent and marker as two changes, so that a cursor between them stays in place. */
function narrowed(from: number, parts: MarkedLine, indent: string, marker: string): ChangeSpec[] {
  const markerFrom = from + parts.indent.length;
  const markerTo = markerFrom + parts.marker.length + parts.box.length;
  return [
    ...(indent === parts.indent ? [] : [{ from, to: markerFrom, insert: indent }]),
    { from: markerFrom, to: markerTo, insert: marker },
  ];
}

/** The line of `===` or `---` that makes a heading of the line before it. */
function underlineOf(state: EditorState, line: Line): { from: number; to: number; level: 1 | 2 } | undefined {
  const [heading] = nodesBetween(state, line.from, line.to, UNDERLINED);
  const mark = heading?.getChild('HeaderMark');
  if (heading === undefined || mark === null || mark === undefined || mark.from <= line.to) return undefined;
  return { from: state.doc.lineAt(mark.from).from - 1, to: mark.to, level: heading.name === 'SetextHeading1' ? 1 : 2 };
}

/** The selected lines that hold something; the line itself when it is the only one. */
function textLines(state: EditorState): readonly { readonly line: Line; readonly parts: MarkedLine }[] {
  const lines = selectedLines(state).map((line) => ({ line, parts: parseMarkedLine(line.text) }));
  const filled = lines.filter(({ parts }) => !isBlank(parts));
  return filled.length > 0 ? filled : lines.slice(0, 1);
}

function selectedLines(state: EditorState): Line[] {
  const { from, to, empty } = state.selection.main;
  const lines: Line[] = [];
  for (let position = from; position <= to; ) {
    const line = state.doc.lineAt(position);
    // A selection that ends before a line's first character does not look as if it held that line.
    if (empty || line.from < to || lines.length === 0) lines.push(line);
    position = line.to + 1;
  }
  return lines;
}

function isOnly(state: EditorState, line: Line): boolean {
  const { from, to } = state.selection.main;
  return from >= line.from && to <= line.to;
}

function withCursorBehind(state: EditorState, specs: ChangeSpec[]): TransactionSpec {
  const changes = state.changes(specs);
  return { changes, selection: state.selection.map(changes, 1), userEvent: 'input' };
}

function columns(indent: string): number {
  return indent.replaceAll('\t', '    ').length;
}

const BOX = /\[[ xX]\][ \t]*$/;
const QUOTE_MARK = /^[ \t]*>[ \t]?/;
const UNDERLINED: ReadonlySet<string> = new Set(['SetextHeading1', 'SetextHeading2']);
