/** The source of the text: CodeMirror with Markdown highlighting, bound to a Yjs text. */

import { defaultKeymap } from '@codemirror/commands';
import { markdownKeymap, pasteURLAsLink } from '@codemirror/lang-markdown';
import { Compartment, EditorState, Prec, type Extension } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, placeholder, type ViewUpdate } from '@codemirror/view';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { boundedMarkdown } from './bounded-markdown';
import { formatKeymap } from './format-keymap';
import { remoteCursors } from './remote-cursors';
import type { ScrolledSide } from './scroll-sync';
import { editorTheme } from './theme';

export type EditorMode = 'loading' | 'writing' | 'read-only';

export interface EditorOptions {
  readonly text: Y.Text;
  readonly awareness: Awareness;
  readonly undoManager: Y.UndoManager;
  /** The id of an element that tells how the keyboard leaves the text. */
  readonly describedBy: string;
  readonly onBlur: () => void;
  readonly onUpdate: (update: ViewUpdate) => void;
}

export class TextEditor implements ScrolledSide {
  readonly view: EditorView;
  readonly #mode = new Compartment();

  constructor(parent: HTMLElement, { text, awareness, undoManager, describedBy, onBlur, onUpdate }: EditorOptions) {
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [
          ...LINE_ENDS,
          this.#mode.of(modeExtension('loading')),
          styleNonce(),
          EditorView.lineWrapping,
          EditorView.perLineTextDirection.of(true),
          EditorView.contentAttributes.of({
            'aria-label': 'Text of the document',
            'aria-describedby': describedBy,
            tabindex: '0',
            spellcheck: 'true',
            autocapitalize: 'on',
          }),
          EditorView.domEventHandlers({ blur: onBlur }),
          EditorView.updateListener.of(onUpdate),
          highlightSpecialChars(),
          boundedMarkdown,
          pasteURLAsLink,
          Prec.high(keymap.of([...formatKeymap(undoManager), ...markdownKeymap])),
          keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
          editorTheme,
          yCollab(text, null, { undoManager }),
          remoteCursors(text, awareness),
        ],
      }),
    });
  }

  set mode(mode: EditorMode) {
    this.view.dispatch({ effects: this.#mode.reconfigure(modeExtension(mode)) });
  }

  get scroller(): HTMLElement {
    return this.view.scrollDOM;
  }

  get content(): HTMLElement {
    return this.view.contentDOM;
  }

  /** Where in the text the uppermost visible line is, with a fraction for a line that is seen in part. */
  get topPosition(): number {
    const height = this.scroller.scrollTop - this.view.documentPadding.top;
    if (height <= 0) return 0;
    const block = this.view.lineBlockAtHeight(height);
    const part = (height - block.top) / Math.max(1, block.height);
    return block.from + Math.min(Math.max(part, 0), 1) * block.length;
  }

  scrollToPosition(position: number): void {
    const block = this.view.lineBlockAt(Math.min(Math.floor(position), this.view.state.doc.length));
    const part = (position - block.from) / Math.max(1, block.length);
    const top = this.view.documentPadding.top + block.top + Math.min(Math.max(part, 0), 1) * block.height;
    this.scroller.scrollTop = position <= 0 ? 0 : top;
  }

  focus(): void {
    this.view.focus();
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

/** The page's Content-Security-Policy lets in the style sheets that carry its nonce. */
function styleNonce(): Extension {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
  return nonce === '' ? [] : EditorView.cspNonce.of(nonce);
}

/** Still focusable, so that the text can be scrolled, selected and copied with the keyboard. */
const READ_ONLY: readonly Extension[] = [
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ 'aria-readonly': 'true' }),
];

/**
 * Only `\n` ends a line: positions in the editor and in Yjs must be the same, and CodeMirror would count a `\r\n` that
 * another client wrote as one character. What is pasted is normalised.
 */
const LINE_ENDS: readonly Extension[] = [
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
];
