/** Draws what is moved to the edges and middles of what stands around it. */

import type { Box, Point } from './geometry';

/** A line to show: where something was drawn to. */
export interface Guide {
  readonly from: Point;
  readonly to: Point;
}

export interface Snap {
  readonly by: Point;
  readonly guides: readonly Guide[];
}

export const NO_SNAP: Snap = { by: { x: 0, y: 0 }, guides: [] };

/** Which of the box's own lines may be drawn: those that move. */
export interface SnapLines {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export function allLines(box: Box): SnapLines {
  return { x: [box.x, box.x + box.width / 2, box.x + box.width], y: [box.y, box.y + box.height / 2, box.y + box.height] };
}

/** The shortest way, within `reach` in each direction, that lays one of `lines` onto a line of `others`. */
export function snap(box: Box, lines: SnapLines, others: readonly Box[], reach: number): Snap {
  const x = nearest(lines.x, others, reach, ({ x: start, width }) => [start, start + width / 2, start + width]);
  const y = nearest(lines.y, others, reach, ({ y: start, height }) => [start, start + height / 2, start + height]);
  const by = { x: x?.by ?? 0, y: y?.by ?? 0 };
  const guides: Guide[] = [];
  if (x !== undefined) {
    const [top, bottom] = span(box.y + by.y, box.height, x.other.y, x.other.height);
    guides.push({ from: { x: x.at, y: top }, to: { x: x.at, y: bottom } });
  }
  if (y !== undefined) {
    const [left, right] = span(box.x + by.x, box.width, y.other.x, y.other.width);
    guides.push({ from: { x: left, y: y.at }, to: { x: right, y: y.at } });
  }
  return { by, guides };
}

interface Found {
  readonly by: number;
  readonly at: number;
  readonly other: Box;
}

function nearest(lines: readonly number[], others: readonly Box[], reach: number, linesOf: (box: Box) => readonly number[]): Found | undefined {
  let found: Found | undefined;
  for (const other of others) {
    for (const at of linesOf(other)) {
      for (const line of lines) {
        const by = at - line;
        if (Math.abs(by) <= reach && (found === undefined || Math.abs(by) < Math.abs(found.by))) found = { by, at, other };
      }
    }
  }
  return found;
}

function span(startA: number, lengthA: number, startB: number, lengthB: number): readonly [number, number] {
  return [Math.min(startA, startB), Math.max(startA + lengthA, startB + lengthB)];
}
