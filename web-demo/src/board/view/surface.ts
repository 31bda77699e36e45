/** The board that is seen: canvas, overlay, text field and the others' pointers in one element that takes the keyboard. */

import { element } from '../../dom';
import type { Watched } from '../../watched';
import { described } from '../actions';
import { listenToClipboard, paste } from '../clipboard';
import { listenToKeys } from '../keyboard';
import type { Point } from '../model/geometry';
import { holdsText } from '../model/shape';
import { shapeAt } from '../model/hit-testing';
import type { Paper } from '../model/palette';
import type { BoardPresence } from '../presence';
import { addText } from '../tools/text-tool';
import { TOOLS } from '../tools/tools';
import type { Workbench } from '../workbench';
import { PeerOverlay } from './peer-overlay';
import { Pointing } from './pointing';
import { Scene } from './scene';
import { SelectionOverlay } from './selection-overlay';
import { svg } from './svg-elements';
import { TextField } from './text-field';

export interface SurfaceParts {
  readonly bench: Workbench;
  readonly presence: BoardPresence;
  readonly paper: Watched<Paper>;
  readonly writtenInto: Watched<string | undefined>;
  readonly onLook: () => void;
  readonly onPickImage: () => void;
  readonly onHelp: () => void;
  readonly onProblems: (problems: readonly string[]) => void;
}

export class Surface {
  readonly element = element('div', {
    class: 'surface',
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'whiteboard',
    'aria-label': 'Whiteboard',
    'aria-describedby': 'board-help',
  });
  readonly #parts: SurfaceParts;
  readonly #scene: Scene;
  readonly #selection: SelectionOverlay;
  readonly #peers: PeerOverlay;
  readonly #field: TextField;
  #pointer: Point | undefined;
  #frame: number | undefined;

  constructor(parts: SurfaceParts) {
    this.#parts = parts;
    const { bench, paper, writtenInto } = parts;
    const canvas = element('canvas', { class: 'scene', 'aria-hidden': 'true' });
    this.#scene = new Scene(canvas, { ...bench, paper, writtenInto });
    this.#selection = new SelectionOverlay(bench);
    this.#peers = new PeerOverlay(bench);
    this.#field = new TextField(bench, paper, () => this.element.focus({ preventScroll: true }));
    const overlay = svg('svg', { class: 'overlay', 'aria-hidden': 'true' }, this.#peers.frames, this.#selection.element);
    const help = element('p', { id: 'board-help', class: 'visually-hidden' }, HELP);
    const status = element('p', { class: 'visually-hidden', role: 'status' });
    bench.announcement.watch((text) => {
      status.textContent = text;
    });
    this.element.append(canvas, overlay, this.#field.element, this.#peers.pointers, help, status);
    this.#follow();
    this.#listen();
    new ResizeObserver(() => this.#measure()).observe(this.element);
  }

  /** Paints everything anew, for instance when an image has been decoded. */
  repaint(): void {
    this.#scene.invalidateAll();
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  #measure(): void {
    const { width, height } = this.element.getBoundingClientRect();
    if (width > 0 && height > 0) this.#parts.bench.camera.size.value = { width, height };
  }

  #follow(): void {
    const { bench, presence } = this.#parts;
    bench.board.onChange((changed) => {
      this.#scene.changed(changed);
      // What somebody else deleted can no longer be selected.
      const gone = [...bench.selection.value].filter((id) => bench.board.shape(id) === undefined);
      if (gone.length > 0) bench.select([...bench.selection.value].filter((id) => !gone.includes(id)));
      this.#schedule();
    });
    for (const value of [bench.selection, bench.guides, bench.marquee, bench.dragging, bench.writing, bench.editable, bench.camera.size]) {
      (value as Watched<unknown>).watch(() => this.#schedule());
    }
    bench.camera.view.watch(() => this.#schedule());
    presence.peers.watch(() => this.#schedule());
    bench.tool.watch((tool) => {
      this.element.style.setProperty('--tool-cursor', TOOLS[tool].cursor);
    });
    bench.selection.watch((ids) => presence.publish({ selection: [...ids].slice(0, MOST_SELECTED_TOLD) }));
  }

  /** Overlays are drawn once a frame, however much changed. */
  #schedule(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#selection.draw();
      this.#peers.draw(this.#parts.presence.peers.value);
      this.#field.place();
    });
  }

  #listen(): void {
    const { bench, presence, onLook, onPickImage, onHelp, onProblems } = this.#parts;
    const pointing = new Pointing({
      surface: this.element,
      bench,
      onLook,
      onPointer: (point) => {
        this.#pointer = point;
        presence.publish({ pointer: point === undefined ? null : { x: Math.round(point.x), y: Math.round(point.y) } });
      },
    });
    listenToKeys({
      surface: this.element,
      bench,
      onLook,
      onPickImage,
      onHelp,
      cancelDrag: () => pointing.cancel(),
      onSpace: (held) => {
        pointing.spaceHeld = held;
      },
    });
    listenToClipboard({ surface: this.element, bench, pointer: () => this.#pointer, onProblems });
    this.element.addEventListener('dblclick', (event) => this.#doubleClick(event));
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      if (event.dataTransfer !== null && bench.editable.value) void paste(event.dataTransfer, this.#pointOf(event), bench).then(onProblems);
    });
  }

  /** On a shape that holds text: write into it. On the empty board: write there. */
  #doubleClick(event: MouseEvent): void {
    const { bench } = this.#parts;
    if (event.target instanceof HTMLTextAreaElement || bench.tool.value !== 'select' || !bench.editable.value) return;
    const point = this.#pointOf(event);
    const all = { board: bench.board, index: bench.index, inside: new Set(bench.board.stack.filter(({ look }) => holdsText(look)).map(({ id }) => id)) };
    const hit = shapeAt(point, bench.units(5), all);
    if (hit !== undefined) {
      bench.announce(described(hit));
      bench.write(hit.id);
      return;
    }
    const gesture = bench.board.begin();
    const at = { x: point.x, y: point.y - bench.style.value.fontSize * 0.65 };
    bench.write(addText('', at, bench, gesture), gesture);
  }

  #pointOf(event: MouseEvent): Point {
    const { left, top } = this.element.getBoundingClientRect();
    return this.#parts.bench.camera.toBoard({ x: event.clientX - left, y: event.clientY - top });
  }
}

const MOST_SELECTED_TOLD = 100;
const HELP =
  'Choose a tool by its letter and press Enter to place a shape. With nothing selected, Enter selects the first shape; then Tab goes ' +
  'from shape to shape, arrows move it, Enter writes into it, Delete deletes it, Escape lets go of it.';
