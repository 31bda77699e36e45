/** What the tools, the views and the bars of one board share: the board, what is selected, which tool is in hand. */

import { Watched } from '../watched';
import type { Fonts } from './drawing/fonts';
import { drawingOf } from './drawing/drawing';
import type { Pictures } from './drawing/pictures';
import type { BoardDocument, Gesture } from './model/board-document';
import { boundsOfFrame, united, type Box, type Frame } from './model/geometry';
import { placedBounds, SpatialIndex } from './model/spatial-index';
import { frameOf, type Shape, type ShapeId } from './model/shape';
import type { Guide } from './model/snapping';
import { storedStyle, type ShapeStyle } from './style';
import { Camera } from './view/camera';

export type ToolName =
  | 'select'
  | 'hand'
  | 'pen'
  | 'eraser'
  | 'rectangle'
  | 'ellipse'
  | 'line'
  | 'arrow'
  | 'text'
  | 'note';

/** A shape whose text is being written, and the gesture that it belongs to. */
export interface Writing {
  readonly id: ShapeId;
  readonly gesture: Gesture;
}

export interface WorkbenchParts {
  readonly board: BoardDocument;
  readonly fonts: Fonts;
  readonly pictures: Pictures;
  readonly editable: Watched<boolean>;
  /** Told when the person changes something by hand. */
  readonly onActivity: () => void;
}

export class Workbench {
  readonly board: BoardDocument;
  readonly fonts: Fonts;
  readonly pictures: Pictures;
  readonly editable: Watched<boolean>;
  readonly onActivity: () => void;
  readonly camera = new Camera();
  readonly index: SpatialIndex;
  readonly tool = new Watched<ToolName>('select');
  readonly selection = new Watched<ReadonlySet<ShapeId>>(new Set());
  readonly style: Watched<ShapeStyle>;
  readonly snapping = new Watched(true);
  readonly writing = new Watched<Writing | undefined>(undefined);
  /** Shown while something is drawn to it. */
  readonly guides = new Watched<readonly Guide[]>([]);
  /** The box that is being drawn around shapes. */
  readonly marquee = new Watched<Box | undefined>(undefined);
  /** Whether shapes are being dragged: handles are hidden meanwhile. */
  readonly dragging = new Watched(false);
  /** For screen readers. */
  readonly announcement = new Watched('');

  constructor({ board, fonts, pictures, editable, onActivity }: WorkbenchParts) {
    this.board = board;
    this.fonts = fonts;
    this.pictures = pictures;
    this.editable = editable;
    this.onActivity = onActivity;
    this.style = new Watched(storedStyle());
    this.index = new SpatialIndex(board, (shape) => placedBounds(shape, drawingOf(shape.look, fonts).painted));
  }

  /** The selected shapes, from the lowest to the highest. */
  get selected(): readonly Shape[] {
    const ids = this.selection.value;
    if (ids.size > this.board.size / 4) return this.board.stack.filter((shape) => ids.has(shape.id));
    const shapes = [...ids].flatMap((id) => this.board.shape(id) ?? []);
    return shapes.sort((a, b) => this.board.rank(a.id) - this.board.rank(b.id));
  }

  /** The frame of what is selected: of one shape its own, of several the upright box around them. */
  get selectionFrame(): Frame | undefined {
    const { selected } = this;
    const [first] = selected;
    if (first === undefined) return undefined;
    return selected.length === 1 ? frameOf(first) : { ...united(selected.map((shape) => boundsOfFrame(frameOf(shape)))), rotation: 0 };
  }

  /** The box of everything that the given shapes paint; undefined for none. */
  paintedBox(ids: Iterable<ShapeId>): Box | undefined {
    const boxes = [...ids].flatMap((id) => this.index.boundsOf(id) ?? []);
    return boxes.length === 0 ? undefined : united(boxes);
  }

  get wholeBox(): Box | undefined {
    return this.paintedBox(this.board.stack.map((shape) => shape.id));
  }

  select(ids: Iterable<ShapeId>): void {
    const next = new Set(ids);
    const now = this.selection.value;
    if (next.size !== now.size || [...next].some((id) => !now.has(id))) this.selection.value = next;
  }

  /** Boxes of shapes in view that are not selected: what movement snaps to. */
  snapTargets(): readonly Box[] {
    const targets: Box[] = [];
    for (const id of this.index.in(this.camera.visible)) {
      const shape = this.selection.value.has(id) ? undefined : this.board.shape(id);
      if (shape !== undefined && shape.look.type !== 'pen') targets.push(boundsOfFrame(frameOf(shape)));
      if (targets.length === MOST_SNAP_TARGETS) break;
    }
    return targets;
  }

  /** Pixels as board units at the present zoom. */
  units(pixels: number): number {
    return pixels / this.camera.view.value.zoom;
  }

  /** Writes into a shape's text; `gesture` goes on with what created the shape. */
  write(id: ShapeId, gesture?: Gesture): void {
    if (!this.editable.value || this.board.textOf(id) === undefined) {
      gesture?.end();
      return;
    }
    this.select([id]);
    this.writing.value = { id, gesture: gesture ?? this.board.begin() };
  }

  announce(text: string): void {
    // The same words twice would not be spoken again.
    this.announcement.value = this.announcement.value === text ? `${text}\u00a0` : text;
  }
}

/** Comparing with more would cost a movement its pace and the hand its aim. */
const MOST_SNAP_TARGETS = 150;
