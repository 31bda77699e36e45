/**
 * The keys of the toolbar's formats, and Tab in lists.
 *
 * Everywhere else Tab is left to the browser, and after Escape the editor lets it go in lists too: the keyboard is never
 * caught in the text.
 */

import type { EditorState, TransactionSpec } from '@codemirror/state';
import type { Command, EditorView, KeyBinding } from '@codemirror/view';
import type * as Y from 'yjs';
import { applyFormat } from './apply-format';
import { setHeading } from './formatting/line-marks';
import { indentList } from './formatting/list-indent';
import { FORMATS } from './toolbar/formats';
import { HEADINGS } from './toolbar/heading-menu';

export function formatKeymap(undoManager: Y.UndoManager): readonly KeyBinding[] {
  const apply =
    (run: (state: EditorState) => TransactionSpec | null): Command =>
    (view) =>
      applyFormat(view, undoManager, run);
  return [
    ...FORMATS.flat().flatMap(({ key, run }) => (key === undefined ? [] : [{ key, run: handled(apply(run)), preventDefault: true }])),
    ...HEADINGS.map(({ key, level }) => ({ key, run: apply((state) => setHeading(state, level)), preventDefault: true })),
    { key: 'Escape', run: letTabGo },
    { key: 'Tab', run: apply((state) => indentList(state, 'in')), shift: apply((state) => indentList(state, 'out')) },
  ];
}

/** The next Tab moves the focus; the selection stays, so that a format can be put on it from the toolbar. */
function letTabGo(view: EditorView): boolean {
  view.setTabFocusMode(TAB_WITHIN_MS);
  return true;
}

/** A key of ours never falls through to the editor's or the browser's own meaning of it. */
function handled(command: Command): Command {
  return (view) => {
    command(view);
    return true;
  };
}

const TAB_WITHIN_MS = 4000;
