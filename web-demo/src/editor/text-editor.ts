/** The text editor: CodeMirror with Markdown highlighting, bound to a Yjs text. */

import { defaultKeymap } from '@codemirror/commands';
import { markdownKeymap, markdownLanguage } from '@codemirror/lang-markdown';
import { LanguageSupport } from '@codemirror/language';
import { Compartment, EditorState, Prec, type Extension } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { remoteCursors } from './remote-cursors';
import { editorTheme } from './theme';

export type EditorMode = 'loading' | 'writing' | 'read-only';

export interface EditorOptions {
  readonly text: Y.Text;
  readonly awareness: Awareness;
  readonly onBlur: () => void;
}

export class TextEditor {
  readonly #view: EditorView;
  readonly #mode = new Compartment();

  constructor(parent: HTMLElement, { text, awareness, onBlur }: EditorOptions) {
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [
          ...LINE_ENDS,
          this.#mode.of(modeExtension('loading')),
          EditorView.lineWrapping,
          EditorView.perLineTextDirection.of(true),
          EditorView.contentAttributes.of({ 'aria-label': 'Text of the document', spellcheck: 'true', autocapitalize: 'on' }),
          EditorView.domEventHandlers({ blur: onBlur }),
          highlightSpecialChars(),
          new LanguageSupport(markdownLanguage),
          Prec.high(keymap.of(markdownKeymap)),
          keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
          editorTheme,
          yCollab(text, null, { undoManager: new Y.UndoManager(text) }),
          remoteCursors(text, awareness),
        ],
      }),
    });
  }

  set mode(mode: EditorMode) {
    this.#view.dispatch({ effects: this.#mode.reconfigure(modeExtension(mode)) });
  }

  focus(): void {
    this.#view.focus();
  }
}

function modeExtension(mode: EditorMode): Extension {
  switch (mode) {
    case 'loading':
      return [...READ_ONLY, placeholder('Opening the document…')];
    case 'writing':
      return placeholder('Write something. Everyone with the link sees it at once.');
    case 'read-only':
      return READ_ONLY;
  }
}

/** Still focusable, so that the text can be scrolled, selected and copied with the keyboard. */
const READ_ONLY: readonly Extension[] = [
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ tabindex: '0', 'aria-readonly': 'true' }),
];

/**
 * Only `\n` ends a line: positions in the editor and in Yjs must be the same, and CodeMirror would count a `\r\n` that
 * another client wrote as one character. What is pasted is normalised.
 */
const LINE_ENDS: readonly Extension[] = [
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
];
