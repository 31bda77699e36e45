/** Editor states as text for tests: `«` and `»` stand at the ends of the selection, `¦` is a cursor. */

import { markdownLanguage } from '@codemirror/lang-markdown';
import { EditorSelection, EditorState, type TransactionSpec } from '@codemirror/state';

export function stateOf(text: string): EditorState {
  const cursor = text.indexOf('¦');
  const start = text.indexOf('«');
  const end = text.indexOf('»') - 1;
  const selection = cursor >= 0 ? EditorSelection.single(cursor) : EditorSelection.single(start, end);
  return EditorState.create({ doc: text.replace(/[«»¦]/g, ''), selection, extensions: markdownLanguage });
}

export function after(text: string, command: (state: EditorState) => TransactionSpec | null): string {
  const state = stateOf(text);
  const spec = command(state);
  return spec === null ? text : shown(state.update(spec).state);
}

function shown(state: EditorState): string {
  const { from, to, empty } = state.selection.main;
  const text = state.doc.toString();
  if (empty) return `${text.slice(0, from)}¦${text.slice(from)}`;
  return `${text.slice(0, from)}«${text.slice(from, to)}»${text.slice(to)}`;
}
