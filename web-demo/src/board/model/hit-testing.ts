/** What lies under a point, and what lies in a box. */

import {
  boundsOfFrame,
  contains,
  distanceToSegment,
  grown,
  holds,
  middle,
  rotate,
  type Box,
  type Point,
} from './geometry';
import type { BoardDocument } from './board-document';
import { frameOf, localBox, penPoints, strokeOf, type Look, type Shape, type ShapeId } from './shape';
import type { SpatialIndex } from './spatial-index';

/** The highest shape under `point`, within `tolerance` units of its lines; a shape of `inside` is hit in all of its box. */
export function shapeAt(
  point: Point,
  tolerance: number,
  { board, index, inside }: { board: BoardDocument; index: SpatialIndex; inside: ReadonlySet<ShapeId> },
): Shape | undefined {
  const near = index.in(grown({ ...point, width: 0, height: 0 }, tolerance)).toSorted((a, b) => board.rank(b) - board.rank(a));
  for (const id of near) {
    const shape = board.shape(id);
    if (shape !== undefined && isHit(shape, point, tolerance, inside.has(id))) return shape;
  }
  return undefined;
}

/** Shapes whose boxes lie wholly in `box`. */
export function shapesIn(box: Box, { board, index }: { board: BoardDocument; index: SpatialIndex }): readonly ShapeId[] {
  return index.in(box).filter((id) => {
    const shape = board.shape(id);
    return shape !== undefined && contains(box, boundsOfFrame(frameOf(shape)));
  });
}

function isHit(shape: Shape, point: Point, tolerance: number, wholeBox: boolean): boolean {
  const frame = frameOf(shape);
  const upright = rotate(point, middle(frame), -frame.rotation);
  const local = { x: upright.x - shape.position.x, y: upright.y - shape.position.y };
  const box = localBox(shape.look);
  if (!holds(grown(box, tolerance + strokeOf(shape.look)), local)) return false;
  if (wholeBox && shape.look.type !== 'line' && shape.look.type !== 'arrow') return true;
  return hitsLook(shape.look, local, box, tolerance);
}

function hitsLook(look: Look, point: Point, box: Box, tolerance: number): boolean {
  switch (look.type) {
    case 'rectangle': {
      const reach = tolerance + look.stroke / 2;
      const filled = look.fill !== 'none' || look.text !== '';
      const hole = { x: reach, y: reach, width: box.width - 2 * reach, height: box.height - 2 * reach };
      return holds(grown(box, reach), point) && (filled || hole.width <= 0 || hole.height <= 0 || !holds(hole, point));
    }
    case 'ellipse': {
      const reach = tolerance + look.stroke / 2;
      const around = (by: number): number => {
        const [rx, ry] = [box.width / 2 + by, box.height / 2 + by];
        if (rx <= 0 || ry <= 0) return Infinity;
        return ((point.x - box.width / 2) / rx) ** 2 + ((point.y - box.height / 2) / ry) ** 2;
      };
      return around(reach) <= 1 && (look.fill !== 'none' || look.text !== '' || around(-reach) >= 1);
    }
    case 'line':
    case 'arrow':
      return distanceToSegment(point, { x: 0, y: 0 }, look.vector) <= tolerance + look.stroke / 2;
    case 'pen': {
      let last: Point | undefined;
      for (const next of penPoints(look)) {
        if (distanceToSegment(point, last ?? next, next) <= tolerance + look.stroke / 2) return true;
        last = next;
      }
      return false;
    }
    default:
      return true;
  }
}
