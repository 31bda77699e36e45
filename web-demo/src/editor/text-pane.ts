/**
 * The text side of a document: a toolbar, the Markdown source that people write together, and its preview.
 *
 * It fits into any container from 320 px on; where there is room, source and preview stand side by side and scroll
 * together. It knows the Yjs text and awareness, nothing of the page or the connection.
 */

import { EditorView, type ViewUpdate } from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { element } from '../dom';
import { applyFormat } from './apply-format';
import { Preview } from './preview/preview';
import { absolutePosition, relativePosition } from './relative-position';
import { ScrollSync } from './scroll-sync';
import { ScrollWatch, type ScrollCause } from './scroll-watch';
import { TextEditor, type EditorMode } from './text-editor';
import { TextToolbar } from './toolbar/text-toolbar';
import { ViewSwitch, type TextView } from './toolbar/view-switch';

export interface TextPaneOptions {
  readonly text: Y.Text;
  readonly awareness: Awareness;
  /** Undoes this person's edits of the text alone; by default the pane makes its own. */
  readonly undoManager?: Y.UndoManager;
  readonly onBlur?: () => void;
  /** At most every 100 ms; tells whether a person scrolled or `scrollTo` did. */
  readonly onScroll?: (cause: ScrollCause) => void;
}

export class TextPane {
  readonly #text: Y.Text;
  readonly #element: HTMLElement;
  readonly #editor: TextEditor;
  readonly #preview: Preview;
  readonly #toolbar: TextToolbar;
  readonly #switch = new ViewSwitch();
  readonly #sync: ScrollSync;
  readonly #scrollWatch: ScrollWatch;
  #mode: EditorMode = 'loading';

  constructor(parent: HTMLElement, options: TextPaneOptions) {
    const { text, awareness, undoManager = new Y.UndoManager(text), onBlur, onScroll } = options;
    this.#text = text;
    const source = element('div', { class: 'source' });
    const hint = element('p', { id: HINT_ID, hidden: true }, 'Tab moves list items. To leave the text, press Escape, then Tab.');
    this.#preview = new Preview({
      onToggleTask: (position) => this.#toggleTask(position, undoManager),
      onRefresh: () => this.#sync.align(),
    });
    this.#editor = new TextEditor(source, {
      text,
      awareness,
      undoManager,
      describedBy: HINT_ID,
      onBlur: () => onBlur?.(),
      onUpdate: (update) => this.#onUpdate(update),
    });
    this.#preview.edited(this.#editor.view.state.changes(), this.#editor.view.state.doc);
    this.#sync = new ScrollSync(this.#editor, this.#preview);
    this.#scrollWatch = new ScrollWatch([this.#editor.scroller, this.#preview.scroller], (cause) => onScroll?.(cause));
    this.#toolbar = new TextToolbar(this.#editor.view, undoManager, this.#switch);
    this.#element = element(
      'div',
      { class: 'text-pane' },
      this.#toolbar.element,
      this.#toolbar.menu,
      element('div', { class: 'text-sides' }, source, this.#preview.scroller),
      hint,
    );
    parent.append(this.#element);
    new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) this.#switch.isWide = entry.contentRect.width >= SPLIT_FROM_PX;
    }).observe(this.#element);
    this.#switch.view.watch((view) => this.#show(view, source));
  }

  set mode(mode: EditorMode) {
    this.#mode = mode;
    this.#editor.mode = mode;
    this.#preview.editable = mode === 'writing';
    this.#toolbar.usable = mode === 'writing' && this.#switch.view.value !== 'preview';
  }

  focus(): void {
    if (this.#switch.view.value === 'preview') this.#preview.scroller.focus();
    else this.#editor.focus();
  }

  /** The first visible line, as a Yjs relative position in JSON. */
  top(): unknown {
    return relativePosition(this.#text, Math.min(Math.floor(this.#topPosition), this.#text.length));
  }

  /** Brings a place that `top` gave, here or at a peer, to the upper edge. Ignores what is none. */
  scrollTo(relative: unknown): void {
    const position = absolutePosition(this.#text, relative);
    if (position === undefined) return;
    this.#scrollWatch.followed();
    this.#scrollToPosition(position);
  }

  get #topPosition(): number {
    return this.#switch.view.value === 'preview' ? this.#preview.topPosition : this.#editor.topPosition;
  }

  #scrollToPosition(position: number): void {
    const { view } = this.#editor;
    const inText = Math.min(Math.floor(position), view.state.doc.length);
    if (inText === 0) this.#editor.scrollToPosition(0);
    else view.dispatch({ effects: EditorView.scrollIntoView(inText, { y: 'start', yMargin: 0 }) });
    this.#preview.scrollToPosition(position);
  }

  /** The place in the text stays when the sides change. */
  #show(view: TextView, source: HTMLElement): void {
    const position = source.hidden ? this.#preview.topPosition : this.#editor.topPosition;
    this.#element.dataset['view'] = view;
    source.hidden = view === 'preview';
    this.#preview.scroller.hidden = view === 'write';
    this.#preview.shown = view !== 'write';
    this.#sync.active = view === 'split';
    this.#toolbar.usable = this.#mode === 'writing' && view !== 'preview';
    this.#editor.view.requestMeasure();
    this.#scrollToPosition(position);
  }

  #onUpdate(update: ViewUpdate): void {
    if (update.docChanged) this.#preview.edited(update.changes, update.state.doc);
    if (update.docChanged || update.selectionSet) this.#toolbar.refreshSoon();
  }

  #toggleTask(position: number, undoManager: Y.UndoManager): void {
    applyFormat(this.#editor.view, undoManager, (state) => {
      const done = state.sliceDoc(position + 1, position + 2) !== ' ';
      return { changes: { from: position + 1, to: position + 2, insert: done ? ' ' : 'x' }, userEvent: 'input' };
    });
  }
}

const HINT_ID = 'text-hint';
/** Two columns that are still pleasant to read. */
const SPLIT_FROM_PX = 704;
