/**
 * Writing into a shape: a text field over it, in its place, size and turn, bound to its shared text. What others write
 * into the same text arrives in the field while it is open.
 */

import type * as Y from 'yjs';
import { element } from '../../dom';
import { labelPaint, labelWidth, noteText, PADDING } from '../drawing/drawing';
import { FONT_FAMILY, LINE_HEIGHT } from '../drawing/fonts';
import { brokenLines } from '../drawing/line-breaking';
import { middle } from '../model/geometry';
import { LONGEST_TEXT } from '../model/limits';
import { colourOf, type Paper } from '../model/palette';
import { frameOf, type Shape } from '../model/shape';
import { replacedPart, type Replacement } from '../model/text-difference';
import type { Workbench, Writing } from '../workbench';
import type { Watched } from '../../watched';

export class TextField {
  readonly element = element('textarea', {
    class: 'board-text',
    'aria-label': 'Text of the shape',
    maxlength: String(LONGEST_TEXT),
    spellcheck: 'true',
    hidden: true,
  });
  readonly #bench: Workbench;
  readonly #paper: Watched<Paper>;
  #open: { readonly writing: Writing; readonly text: Y.Text; readonly release: () => void } | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(bench: Workbench, paper: Watched<Paper>, onClose: () => void) {
    this.#bench = bench;
    this.#paper = paper;
    bench.writing.watch((writing) => {
      const wasOpen = this.#open !== undefined;
      this.#close();
      if (writing !== undefined) this.#show(writing);
      else if (wasOpen) onClose();
    });
    this.element.addEventListener('input', () => this.#write());
    this.element.addEventListener('blur', () => this.#leave());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.element.addEventListener('beforeinput', (event) => {
      if (event.inputType === 'historyUndo' || event.inputType === 'historyRedo') event.preventDefault();
    });
  }

  /** Lays the field over the shape as it is now. */
  place(): void {
    if (this.#open === undefined) return;
    const shape = this.#bench.board.shape(this.#open.writing.id);
    if (shape === undefined) {
      this.#leave();
      return;
    }
    const { left, top, width, height, fontSize, align, paddingTop, paddingSide, colour, wraps } = this.#layout(shape);
    const { camera } = this.#bench;
    const { x, y } = camera.toScreen({ x: left, y: top });
    const { zoom } = camera.view.value;
    const { style } = this.element;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.padding = `${paddingTop}px ${paddingSide}px 0`;
    style.font = `${fontSize}px/${LINE_HEIGHT} ${FONT_FAMILY}`;
    style.textAlign = align;
    style.color = colour;
    style.whiteSpace = wraps ? 'pre-wrap' : 'pre';
    // Around the shape's own middle, which the field need not share.
    const centre = middle(frameOf(shape));
    style.transformOrigin = '0 0';
    const [ox, oy] = [(centre.x - left) * zoom, (centre.y - top) * zoom];
    style.transform = `translate(${ox}px, ${oy}px) rotate(${shape.rotation}deg) translate(${-ox}px, ${-oy}px) scale(${zoom})`;
  }

  #layout(shape: Shape): FieldLayout {
    const { look, position } = shape;
    const { fonts } = this.#bench;
    const colour = (paint: Parameters<typeof colourOf>[0]): string => colourOf(paint, this.#paper.value);
    const at = { left: position.x, top: position.y };
    if (look.type === 'note') {
      const { fontSize } = noteText(look, fonts);
      return { ...at, ...look.size, fontSize, align: 'left', paddingTop: PADDING, paddingSide: PADDING, colour: colour({ kind: 'strong', colour: 'ink' }), wraps: true };
    }
    if (look.type === 'rectangle' || look.type === 'ellipse') {
      const room = labelWidth(look);
      const lines = brokenLines(look.text, room, look.fontSize, fonts).length;
      const textHeight = Math.max(1, lines) * look.fontSize * LINE_HEIGHT;
      const above = Math.max(0, (look.size.height - textHeight) / 2);
      const over = Math.max(0, textHeight - look.size.height);
      return {
        left: position.x,
        top: position.y - over / 2,
        width: look.size.width,
        height: look.size.height + over,
        fontSize: look.fontSize,
        align: 'center',
        paddingTop: above,
        paddingSide: (look.size.width - room) / 2,
        colour: colour(labelPaint(look)),
        wraps: true,
      };
    }
    const size = look.type === 'text' ? look.size : { width: 0, height: 0 };
    const fontSize = look.type === 'text' ? look.fontSize : 20;
    // Room for the next letter, so that the field never scrolls before it grows.
    const width = size.width + fontSize * 2;
    const height = Math.max(size.height, fontSize * LINE_HEIGHT);
    return { ...at, width, height, fontSize, align: 'left', paddingTop: 0, paddingSide: 0, colour: colour({ kind: 'strong', colour: look.colour }), wraps: false };
  }

  #show(writing: Writing): void {
    const text = this.#bench.board.textOf(writing.id);
    if (text === undefined) return;
    const follow = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
      if (transaction.origin !== this.#bench.board) this.#takeOver(event);
      this.place();
    };
    text.observe(follow);
    this.#open = { writing, text, release: () => text.unobserve(follow) };
    this.element.value = text.toString();
    this.element.hidden = false;
    this.place();
    this.element.focus({ preventScroll: true });
    this.element.select();
  }

  /** Before the field goes, what it holds is in the document already. */
  #close(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    clearTimeout(this.#pause);
    open.release();
    this.element.hidden = true;
    const { board } = this.#bench;
    const shape = board.shape(open.writing.id);
    if (shape?.look.type === 'text' && shape.look.text.trim() === '') {
      open.writing.gesture.remove([shape.id]);
      if (board.shape(shape.id) !== undefined) board.edit((gesture) => gesture.remove([shape.id]));
      this.#bench.select([]);
    }
    open.writing.gesture.end();
  }

  #leave(): void {
    if (this.#open !== undefined) this.#bench.writing.value = undefined;
  }

  #write(): void {
    const open = this.#open;
    if (open === undefined) return;
    const change = replacedPart(open.text.toString(), this.element.value, this.element.selectionEnd);
    if (change === undefined) return;
    this.#bench.onActivity();
    this.#bench.board.editText(() => apply(open.text, change));
    clearTimeout(this.#pause);
    // After a pause, what follows is another step of undo.
    this.#pause = setTimeout(() => this.#bench.board.undoManager.stopCapturing(), UNDO_PAUSE_MS);
  }

  /** Takes over what others wrote; the own selection stays around the same letters. */
  #takeOver(event: Y.YTextEvent): void {
    const { element: field } = this;
    let [start, end] = [field.selectionStart, field.selectionEnd];
    let at = 0;
    for (const { retain, insert, delete: deleted } of event.delta) {
      if (retain !== undefined) at += retain;
      if (typeof insert === 'string') {
        if (at < start) start += insert.length;
        if (at < end) end += insert.length;
        at += insert.length;
      }
      if (deleted !== undefined) {
        start -= Math.min(deleted, Math.max(0, start - at));
        end -= Math.min(deleted, Math.max(0, end - at));
      }
    }
    field.value = event.target.toString();
    field.setSelectionRange(start, end);
  }

  #key(event: KeyboardEvent): void {
    event.stopPropagation();
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.key === 'Escape' || (event.key === 'Enter' && ctrl)) {
      event.preventDefault();
      this.#leave();
    } else if (ctrl && !event.altKey && event.key.toLowerCase() === 'z') {
      event.preventDefault();
      if (event.shiftKey) this.#bench.board.redo();
      else this.#bench.board.undo();
    } else if (ctrl && event.key.toLowerCase() === 'y') {
      event.preventDefault();
      this.#bench.board.redo();
    }
  }
}

interface FieldLayout {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
  readonly align: 'left' | 'center';
  readonly paddingTop: number;
  readonly paddingSide: number;
  readonly colour: string;
  readonly wraps: boolean;
}

function apply(text: Y.Text, { at, removed, inserted }: Replacement): void {
  if (removed > 0) text.delete(at, removed);
  if (inserted !== '') text.insert(at, inserted);
}

const UNDO_PAUSE_MS = 1000;
