/** Points, boxes and rotated frames in board units. Pure. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box turned around its middle by `rotation` degrees, clockwise. */
export interface Frame extends Box {
  readonly rotation: number;
}

export function add(a: Point, b: Point): Point {
  return { x: a.x + b.x, y: a.y + b.y };
}

export function subtract(a: Point, b: Point): Point {
  return { x: a.x - b.x, y: a.y - b.y };
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

export function middle(box: Box): Point {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

export function rotate(point: Point, around: Point, degrees: number): Point {
  if (degrees === 0) return point;
  const radians = (degrees * Math.PI) / 180;
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  const { x, y } = subtract(point, around);
  return { x: around.x + x * cos - y * sin, y: around.y + x * sin + y * cos };
}

/** Degrees from `around` to `point`, clockwise from upwards. */
export function bearing(around: Point, point: Point): number {
  return (Math.atan2(point.y - around.y, point.x - around.x) * 180) / Math.PI + 90;
}

/** The same direction in 0 (included) to 360 (excluded). */
export function normalisedDegrees(degrees: number): number {
  return ((degrees % 360) + 360) % 360;
}

export function boxAround(points: Iterable<Point>): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : EMPTY_BOX;
}

/** The box between two corners, whichever they are. */
export function boxBetween(a: Point, b: Point): Box {
  return boxAround([a, b]);
}

export function grown(box: Box, by: number): Box {
  return { x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by };
}

export function moved(box: Box, by: Point): Box {
  return { ...box, x: box.x + by.x, y: box.y + by.y };
}

export function united(boxes: Iterable<Box>): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : EMPTY_BOX;
}

export function intersects(a: Box, b: Box): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

export function contains(outer: Box, inner: Box): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

export function holds(box: Box, point: Point): boolean {
  return point.x >= box.x && point.x <= box.x + box.width && point.y >= box.y && point.y <= box.y + box.height;
}

/** Left upper, right upper, right lower, left lower. */
export function corners(frame: Frame): readonly [Point, Point, Point, Point] {
  const around = middle(frame);
  const [right, bottom] = [frame.x + frame.width, frame.y + frame.height];
  return [
    rotate({ x: frame.x, y: frame.y }, around, frame.rotation),
    rotate({ x: right, y: frame.y }, around, frame.rotation),
    rotate({ x: right, y: bottom }, around, frame.rotation),
    rotate({ x: frame.x, y: bottom }, around, frame.rotation),
  ];
}

/** The upright box around a rotated frame. */
export function boundsOfFrame(frame: Frame): Box {
  return frame.rotation === 0 ? frame : boxAround(corners(frame));
}

export function distanceToSegment(point: Point, from: Point, to: Point): number {
  const along = subtract(to, from);
  const length = along.x * along.x + along.y * along.y;
  if (length === 0) return distance(point, from);
  const at = ((point.x - from.x) * along.x + (point.y - from.y) * along.y) / length;
  const nearest = Math.min(1, Math.max(0, at));
  return distance(point, { x: from.x + along.x * nearest, y: from.y + along.y * nearest });
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

const EMPTY_BOX: Box = { x: 0, y: 0, width: 0, height: 0 };
