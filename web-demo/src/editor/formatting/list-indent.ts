/** Moves list items a level in or out, by as many columns as their marker is wide, as Markdown nests them. */

import type { ChangeSpec, EditorState, TransactionSpec } from '@codemirror/state';
import { isBlank, parseMarkedLine } from './marked-line';

/** Null where the selection does not begin in a list. */
export function indentList(state: EditorState, direction: 'in' | 'out'): TransactionSpec | null {
  const { from, to } = state.selection.main;
  const first = state.doc.lineAt(from);
  const last = state.doc.lineAt(to);
  const { marker } = parseMarkedLine(first.text);
  if (marker === '') return null;
  const width = marker.trimEnd().length + 1;
  if (direction === 'in' && !followsItem(state, first.number)) return {};
  const changes: ChangeSpec[] = [];
  for (let number = first.number; number <= last.number; number += 1) {
    const line = state.doc.line(number);
    const parts = parseMarkedLine(line.text);
    if (isBlank(parts)) continue;
    const at = line.from + parts.quote.length;
    if (direction === 'in') changes.push({ from: at, insert: ' '.repeat(width) });
    else changes.push({ from: at, to: at + Math.min(width, parts.indent.length) });
  }
  return { changes, userEvent: direction === 'in' ? 'input.indent' : 'delete.dedent' };
}

/** The first item of a list has none that it could go into: deeper, it would be code. */
function followsItem(state: EditorState, number: number): boolean {
  const own = parseMarkedLine(state.doc.line(number).text);
  for (let above = number - 1; above > 0; above -= 1) {
    const parts = parseMarkedLine(state.doc.line(above).text);
    if (isBlank(parts)) continue;
    if (parts.marker !== '') return parts.indent.length >= own.indent.length;
    if (parts.indent === '') return false;
  }
  return false;
}
