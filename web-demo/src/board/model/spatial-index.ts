/** Finds shapes by place: what is seen, what is hit, what is near. */

import RBush from 'rbush';
import { boundsOfFrame, middle, moved, type Box } from './geometry';
import { localBox, type Shape, type ShapeId } from './shape';
import type { BoardDocument } from './board-document';

/** The upright box of everything that a shape paints. */
export type PaintedBounds = (shape: Shape) => Box;

export class SpatialIndex {
  readonly #tree = new RBush<Entry>();
  readonly #entries = new Map<ShapeId, Entry>();
  readonly #bounds: PaintedBounds;

  constructor(board: BoardDocument, bounds: PaintedBounds) {
    this.#bounds = bounds;
    const entries = board.stack.map((shape) => this.#entry(shape));
    this.#tree.load(entries);
    for (const entry of entries) this.#entries.set(entry.id, entry);
  }

  /** What a shape painted until now; undefined when it is new. */
  boundsOf(id: ShapeId): Box | undefined {
    return this.#entries.get(id)?.box;
  }

  /** Takes the shape as it is now, or forgets it. */
  update(id: ShapeId, shape: Shape | undefined): void {
    const old = this.#entries.get(id);
    if (old !== undefined) this.#tree.remove(old);
    this.#entries.delete(id);
    if (shape === undefined) return;
    const entry = this.#entry(shape);
    this.#entries.set(id, entry);
    this.#tree.insert(entry);
  }

  /** In no order. */
  in(box: Box): readonly ShapeId[] {
    return this.#tree.search({ minX: box.x, minY: box.y, maxX: box.x + box.width, maxY: box.y + box.height }).map(({ id }) => id);
  }

  #entry(shape: Shape): Entry {
    const box = this.#bounds(shape);
    return { id: shape.id, box, minX: box.x, minY: box.y, maxX: box.x + box.width, maxY: box.y + box.height };
  }
}

/** Where a painted box, which lies around the shape's position, comes to lie on the board. */
export function placedBounds(shape: Shape, painted: Box): Box {
  const placed = moved(painted, shape.position);
  if (shape.rotation === 0) return placed;
  // Shapes turn around the middle of their own box, which a painted box need not share.
  const around = middle(moved(localBox(shape.look), shape.position));
  const reach = Math.max(
    Math.hypot(around.x - placed.x, around.y - placed.y),
    Math.hypot(placed.x + placed.width - around.x, placed.y + placed.height - around.y),
    Math.hypot(placed.x + placed.width - around.x, around.y - placed.y),
    Math.hypot(around.x - placed.x, placed.y + placed.height - around.y),
  );
  const upright = boundsOfFrame({ ...placed, rotation: shape.rotation });
  const centred = middle(placed);
  if (Math.abs(centred.x - around.x) < 0.01 && Math.abs(centred.y - around.y) < 0.01) return upright;
  return { x: around.x - reach, y: around.y - reach, width: 2 * reach, height: 2 * reach };
}

interface Entry {
  readonly id: ShapeId;
  readonly box: Box;
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}
