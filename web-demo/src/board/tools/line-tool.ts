/** Draws a line or an arrow from where the pointer goes down to where it goes up. */

import type { Point } from '../model/geometry';
import { round } from '../model/resizing';
import type { Gesture } from '../model/board-document';
import type { ShapeId } from '../model/shape';
import { styledFields } from '../style';
import type { Workbench } from '../workbench';
import { isDrag, type Drag, type Input, type Tool } from './tool';

export type LineType = 'line' | 'arrow';

export function lineTool(type: LineType): Tool {
  return { cursor: 'crosshair', edits: true, press: (input, bench) => draw(type, input, bench) };
}

/** Adds one of the usual length around a point. */
export function addLine(type: LineType, at: Point, bench: Workbench, gesture: Gesture): ShapeId {
  return create(type, { x: at.x - 80, y: at.y }, { x: 160, y: 0 }, { bench, gesture });
}

/** Where the end lies when it is drawn to `to`; with Shift at a multiple of 15°. */
export function lineEnd(from: Point, to: Point, straight: boolean): Point {
  if (!straight) return to;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const step = Math.PI / 12;
  const turn = Math.round(Math.atan2(dy, dx) / step) * step;
  const length = Math.hypot(dx, dy);
  return { x: from.x + length * Math.cos(turn), y: from.y + length * Math.sin(turn) };
}

function draw(type: LineType, first: Input, bench: Workbench): Drag {
  const gesture = bench.board.begin();
  let id: ShapeId | undefined;
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (newest === undefined || (id === undefined && !isDrag(first, newest))) return;
      const end = lineEnd(first.point, newest.point, newest.shift);
      const vector = { x: end.x - first.point.x, y: end.y - first.point.y };
      id ??= create(type, first.point, vector, { bench, gesture });
      gesture.set(id, { size: [round(vector.x), round(vector.y)] });
    },
    release: () => {
      id ??= addLine(type, first.point, bench, gesture);
      gesture.end();
      bench.tool.value = 'select';
      bench.select([id]);
    },
    cancel: () => gesture.cancel(),
  };
}

function create(type: LineType, from: Point, vector: Point, { bench, gesture }: { bench: Workbench; gesture: Gesture }): ShapeId {
  const place = { position: [round(from.x), round(from.y)], size: [round(vector.x), round(vector.y)] };
  return gesture.create({ fields: { ...styledFields(type, bench.style.value), ...place } });
}
