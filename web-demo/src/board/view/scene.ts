/**
 * The canvas with the shapes. Only what changed is painted anew: boxes that became dirty are gathered until the next frame
 * and what lies in them is painted through a clip; when most of the view is dirty, or it moved, all of it is.
 */

import { colourOf, PAPER, type Paper } from '../model/palette';
import { grown, intersects, type Box } from '../model/geometry';
import type { BoardDocument } from '../model/board-document';
import type { ShapeId } from '../model/shape';
import type { SpatialIndex } from '../model/spatial-index';
import { paintShape } from '../drawing/canvas-painter';
import type { Fonts } from '../drawing/fonts';
import type { Pictures } from '../drawing/pictures';
import type { Watched } from '../../watched';
import type { Camera } from './camera';

export interface SceneParts {
  readonly board: BoardDocument;
  readonly index: SpatialIndex;
  readonly camera: Camera;
  readonly fonts: Fonts;
  readonly pictures: Pictures;
  readonly paper: Watched<Paper>;
  /** The shape whose text is in a text field. */
  readonly writtenInto: Watched<ShapeId | undefined>;
}

export class Scene {
  readonly #parts: SceneParts;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #dirty: Box[] = [];
  #allDirty = true;
  #frame: number | undefined;
  #tile: { readonly canvas: OffscreenCanvas; readonly dot: number; readonly paper: Paper } | undefined;

  constructor(canvas: HTMLCanvasElement, parts: SceneParts) {
    // Opaque: the compositor need not blend it with what is behind.
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('the browser offers no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#parts = parts;
    parts.camera.size.watch(() => this.#resize());
    parts.camera.view.watch(() => this.invalidateAll());
    parts.paper.watch(() => this.invalidateAll());
    parts.writtenInto.watch(() => this.invalidateAll());
  }

  /** Takes note of shapes that changed: paints where they were and where they are. */
  changed(ids: ReadonlySet<ShapeId>): void {
    const { board, index } = this.#parts;
    for (const id of ids) {
      this.#invalidate(index.boundsOf(id));
      index.update(id, board.shape(id));
      this.#invalidate(index.boundsOf(id));
    }
  }

  invalidateAll(): void {
    this.#allDirty = true;
    this.#schedule();
  }

  #invalidate(box: Box | undefined): void {
    if (box === undefined || this.#allDirty || !intersects(box, this.#parts.camera.visible)) return;
    this.#dirty.push(box);
    this.#schedule();
  }

  #schedule(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#paint();
    });
  }

  #resize(): void {
    const { width, height } = this.#parts.camera.size.value;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.max(1, Math.round(height * ratio));
    this.#allDirty = true;
    // At once: a canvas that was resized is black until it is painted.
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#paint();
  }

  #paint(): void {
    const { camera, paper } = this.#parts;
    const { x, y, zoom } = camera.view.value;
    const scale = zoom * devicePixelRatio;
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    const boxes = this.#boxesToPaint();
    context.save();
    if (boxes !== undefined) {
      context.beginPath();
      for (const box of boxes) clipTo(context, box, { x, y, scale });
      context.clip();
    }
    context.fillStyle = PAPER[paper.value];
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#paintGrid(scale);
    context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
    this.#paintShapes(boxes ?? [camera.visible], scale);
    context.restore();
    this.#dirty = [];
    this.#allDirty = false;
  }

  /** Undefined for everything. */
  #boxesToPaint(): readonly Box[] | undefined {
    const { visible } = this.#parts.camera;
    if (this.#allDirty || this.#dirty.length > MOST_BOXES) return undefined;
    const area = this.#dirty.reduce((sum, { width, height }) => sum + width * height, 0);
    return area > visible.width * visible.height * LARGEST_PART ? undefined : this.#dirty;
  }

  #paintShapes(boxes: readonly Box[], scale: number): void {
    const { board, index, fonts, pictures, paper, writtenInto } = this.#parts;
    const ids = new Set(boxes.flatMap((box) => index.in(box)));
    const options = { fonts, pictures, paper: paper.value, scale, writtenInto: writtenInto.value };
    const sorted = [...ids].sort((a, b) => board.rank(a) - board.rank(b));
    for (const id of sorted) {
      const shape = board.shape(id);
      if (shape !== undefined) paintShape(this.#context, shape, options);
    }
  }

  /** Dots, so far apart that they never become a grey. */
  #paintGrid(scale: number): void {
    const { x, y } = this.#parts.camera.view.value;
    const ratio = devicePixelRatio;
    let step = GRID_UNITS * scale;
    while (step < GRID_LEAST_PIXELS * ratio) step *= 4;
    const tile = this.#gridTile(Math.round(step), Math.max(1, Math.round(ratio * 1.5)));
    const pattern = this.#context.createPattern(tile, 'repeat');
    if (pattern === null) return;
    const start = (origin: number): number => -((((origin * scale) % step) + step) % step);
    const stretch = step / tile.width;
    pattern.setTransform(new DOMMatrix([stretch, 0, 0, stretch, start(x), start(y)]));
    this.#context.fillStyle = pattern;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #gridTile(side: number, dot: number): OffscreenCanvas {
    const paper = this.#parts.paper.value;
    if (this.#tile?.canvas.width === side && this.#tile.dot === dot && this.#tile.paper === paper) return this.#tile.canvas;
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d');
    if (context !== null) {
      context.fillStyle = colourOf({ kind: 'pale', colour: 'ink' }, paper);
      context.fillRect(0, 0, dot, dot);
    }
    this.#tile = { canvas, dot, paper };
    return canvas;
  }
}

/** Adds the box to the clip, on whole pixels, so that no half painted edge stays behind. */
function clipTo(context: CanvasRenderingContext2D, box: Box, { x, y, scale }: { x: number; y: number; scale: number }): void {
  const { x: left, y: top, width, height } = grown(box, 2 / scale);
  const [fromX, fromY] = [Math.floor((left - x) * scale), Math.floor((top - y) * scale)];
  const [toX, toY] = [Math.ceil((left + width - x) * scale), Math.ceil((top + height - y) * scale)];
  context.rect(fromX, fromY, toX - fromX, toY - fromY);
}

/** More boxes than this cost more to clip than they save. */
const MOST_BOXES = 120;
/** Of the view. */
const LARGEST_PART = 0.5;
const GRID_UNITS = 24;
const GRID_LEAST_PIXELS = 16;
