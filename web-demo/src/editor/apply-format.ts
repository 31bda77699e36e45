/** Carries out a formatting command in the editor. */

import type { EditorState, TransactionSpec } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import type * as Y from 'yjs';

/** One step for undo, apart from what was typed before and after. False when there was nothing to do. */
export function applyFormat(
  view: EditorView,
  undoManager: Y.UndoManager,
  run: (state: EditorState) => TransactionSpec | null,
): boolean {
  if (view.state.readOnly) return false;
  const spec = run(view.state);
  if (spec === null) return false;
  undoManager.stopCapturing();
  view.dispatch(spec, { scrollIntoView: true });
  undoManager.stopCapturing();
  return true;
}
