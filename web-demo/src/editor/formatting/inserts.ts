/** Links, code blocks, tables and rules: what is put around the selection or in at the cursor. */

import { EditorSelection, type EditorState, type TransactionSpec } from '@codemirror/state';
import { nodeAround } from './syntax';

export function isInLink(state: EditorState): boolean {
  const { from, to } = state.selection.main;
  return nodeAround(state, from, to, 'Link') !== undefined;
}

/** Takes the link at the selection off its text; or makes one, and selects what is still to be filled in. */
export function toggleLink(state: EditorState): TransactionSpec | null {
  const { from, to } = state.selection.main;
  const link = nodeAround(state, from, to, 'Link');
  if (link !== undefined) {
    const [opening, closing] = link.getChildren('LinkMark');
    if (opening === undefined || closing === undefined) return null;
    const changes = state.changes([
      { from: link.from, to: opening.to },
      { from: closing.from, to: link.to },
    ]);
    return { changes, userEvent: 'delete' };
  }
  const selected = state.sliceDoc(from, to);
  if (selected.includes('\n')) return null;
  if (/^(?:https?:\/\/|mailto:)\S+$/.test(selected)) {
    return {
      changes: { from, to, insert: `[](${selected})` },
      selection: EditorSelection.cursor(from + 1),
      userEvent: 'input',
    };
  }
  const text = selected === '' ? 'link' : selected;
  const address = from + text.length + 3;
  return {
    changes: { from, to, insert: `[${text}](${ADDRESS})` },
    selection: selected === '' ? EditorSelection.range(from + 1, from + 1 + text.length) : EditorSelection.range(address, address + ADDRESS.length),
    userEvent: 'input',
  };
}

export function isInCodeBlock(state: EditorState): boolean {
  const { from, to } = state.selection.main;
  return nodeAround(state, from, to, 'FencedCode') !== undefined;
}

/** Puts the selected lines between fences, or takes the fences away. */
export function toggleCodeBlock(state: EditorState): TransactionSpec {
  const { from, to } = state.selection.main;
  const block = nodeAround(state, from, to, 'FencedCode');
  if (block !== undefined) {
    const first = state.doc.lineAt(block.from);
    const last = state.doc.lineAt(block.to);
    const closed = block.getChildren('CodeMark').length > 1 && last.number > first.number;
    const changes = state.changes([
      { from: first.from, to: Math.min(first.to + 1, state.doc.length) },
      ...(closed ? [{ from: Math.max(last.from - 1, first.to + 1), to: last.to }] : []),
    ]);
    return { changes, userEvent: 'delete' };
  }
  const start = state.doc.lineAt(from).from;
  const end = state.doc.lineAt(to).to;
  const code = state.sliceDoc(start, end);
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const changes = state.changes([
    { from: start, insert: `${fence}\n` },
    { from: end, insert: `\n${fence}` },
  ]);
  return {
    changes,
    selection: EditorSelection.range(from + fence.length + 1, to + fence.length + 1),
    userEvent: 'input',
  };
}

/** A table of three columns, with the first heading selected. */
export function insertTable(state: EditorState): TransactionSpec {
  return insertBlock(state, TABLE, { from: 2, to: 2 + FIRST_HEADING.length });
}

export function insertRule(state: EditorState): TransactionSpec {
  return insertBlock(state, '---\n', { from: 4, to: 4 });
}

/** Puts a block behind the current line, with blank lines around it. */
function insertBlock(state: EditorState, block: string, select: { readonly from: number; readonly to: number }): TransactionSpec {
  const line = state.doc.lineAt(state.selection.main.to);
  const blank = line.text.trim() === '';
  const previous = line.number > 1 ? state.doc.line(line.number - 1).text.trim() : '';
  const before = blank ? (previous === '' ? '' : '\n') : '\n\n';
  const next = line.number < state.doc.lines ? state.doc.line(line.number + 1).text.trim() : undefined;
  const after = next === undefined || next === '' ? '' : blank ? '\n' : '';
  const from = blank ? line.from : line.to;
  const start = from + before.length;
  return {
    changes: { from, to: line.to, insert: before + block + after },
    selection: EditorSelection.range(start + select.from, start + select.to),
    scrollIntoView: true,
    userEvent: 'input',
  };
}

const ADDRESS = 'https://';
const FIRST_HEADING = 'Column 1';
const TABLE = `| ${FIRST_HEADING} | Column 2 | Column 3 |\n| -------- | -------- | -------- |\n|          |          |          |\n`;
