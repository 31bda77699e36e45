/** What the toolbar and the keyboard can do to the text, each a pure function of the editor's state. */

import { syntaxTreeAvailable } from '@codemirror/language';
import type { EditorState, TransactionSpec } from '@codemirror/state';
import {
  Bold,
  Code,
  Italic,
  Link,
  List,
  ListOrdered,
  ListTodo,
  Minus,
  SquareCode,
  Strikethrough,
  Table,
  TextQuote,
  type IconNode,
} from 'lucide';
import {
  BOLD,
  hasInlineMark,
  INLINE_CODE,
  ITALIC,
  STRIKETHROUGH,
  toggleInlineMark,
  type InlineMark,
} from '../formatting/inline-marks';
import { insertRule, insertTable, isInCodeBlock, isInLink, toggleCodeBlock, toggleLink } from '../formatting/inserts';
import { isQuoted, listKind, toggleList, toggleQuote, type ListKind } from '../formatting/line-marks';

export interface Format {
  readonly label: string;
  readonly icon: IconNode;
  /** As CodeMirror writes it. */
  readonly key?: string;
  readonly run: (state: EditorState) => TransactionSpec | null;
  /** Only of what can be on or off. */
  readonly isOn?: (state: EditorState) => boolean;
  /** Whether it leaves something to be typed. */
  readonly fillsIn?: true;
}

/** Groups of formats; a line divides them. */
export const FORMATS: readonly (readonly Format[])[] = [
  [
    inline('Bold', Bold, BOLD, 'Mod-b'),
    inline('Italic', Italic, ITALIC, 'Mod-i'),
    inline('Strikethrough', Strikethrough, STRIKETHROUGH, 'Mod-Shift-x'),
    inline('Code', Code, INLINE_CODE, 'Mod-e'),
    { label: 'Link', icon: Link, key: 'Mod-k', run: toggleLink, isOn: isInLink, fillsIn: true },
  ],
  [
    list('Bulleted list', List, 'bulleted', 'Mod-Shift-8'),
    list('Numbered list', ListOrdered, 'numbered', 'Mod-Shift-7'),
    list('Task list', ListTodo, 'task', 'Mod-Shift-9'),
    { label: 'Quote', icon: TextQuote, key: 'Mod-Shift-.', run: toggleQuote, isOn: isQuoted },
  ],
  [
    { label: 'Code block', icon: SquareCode, key: 'Mod-Alt-c', run: toggleCodeBlock, isOn: isInCodeBlock, fillsIn: true },
    { label: 'Table', icon: Table, run: insertTable, fillsIn: true },
    { label: 'Horizontal rule', icon: Minus, run: insertRule, fillsIn: true },
  ],
];

/** Whether the state of formats can be read at once; a very long selection shows none. */
export function formatsAreReadable(state: EditorState): boolean {
  const { from, to } = state.selection.main;
  return to - from <= LONGEST_SELECTION && syntaxTreeAvailable(state, to);
}

function inline(label: string, icon: IconNode, mark: InlineMark, key: string): Format {
  return {
    label,
    icon,
    key,
    run: (state) => toggleInlineMark(state, mark),
    isOn: (state) => hasInlineMark(state, mark),
  };
}

function list(label: string, icon: IconNode, kind: ListKind, key: string): Format {
  return { label, icon, key, run: (state) => toggleList(state, kind), isOn: (state) => listKind(state) === kind };
}

const LONGEST_SELECTION = 20_000;
