/** Draws a rectangle, an ellipse or a note: by a drag its box, by a click one of the usual size. */

import { allLines, NO_SNAP, snap } from '../model/snapping';
import { boxBetween, type Box, type Point } from '../model/geometry';
import { round } from '../model/resizing';
import type { ShapeId, Size } from '../model/shape';
import type { Gesture } from '../model/board-document';
import { styledFields } from '../style';
import type { Workbench } from '../workbench';
import { isDrag, type Drag, type Input, type Tool } from './tool';

export type BoxType = 'rectangle' | 'ellipse' | 'note';

export function boxTool(type: BoxType): Tool {
  return { cursor: 'crosshair', edits: true, press: (input, bench) => draw(type, input, bench) };
}

/** Adds one of the usual size around a point. */
export function addBox(type: BoxType, at: Point, bench: Workbench, gesture: Gesture): ShapeId {
  const { width, height } = USUAL_SIZE[type];
  const box = { x: at.x - width / 2, y: at.y - height / 2, width, height };
  return create(type, box, bench, gesture);
}

function draw(type: BoxType, first: Input, bench: Workbench): Drag {
  const gesture = bench.board.begin();
  let id: ShapeId | undefined;
  const targets = bench.snapTargets();
  const start = snapped(first.point, first, bench, targets);
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (newest === undefined || (id === undefined && !isDrag(first, newest))) return;
      const box = drawnBox(start, snapped(newest.point, newest, bench, targets), newest);
      id ??= create(type, box, bench, gesture);
      gesture.set(id, { position: [round(box.x), round(box.y)], size: [round(box.width), round(box.height)] });
    },
    release: () => {
      bench.guides.value = [];
      id ??= addBox(type, first.point, bench, gesture);
      bench.tool.value = 'select';
      bench.select([id]);
      if (type === 'note') bench.write(id, gesture);
      else gesture.end();
    },
    cancel: () => {
      bench.guides.value = [];
      gesture.cancel();
    },
  };
}

function create(type: BoxType, box: Box, bench: Workbench, gesture: Gesture): ShapeId {
  const place = { position: [round(box.x), round(box.y)], size: [round(box.width), round(box.height)] };
  return gesture.create({ fields: { ...styledFields(type, bench.style.value), ...place }, text: '' });
}

function drawnBox(start: Point, end: Point, { shift, alt }: Input): Box {
  let [dx, dy] = [end.x - start.x, end.y - start.y];
  if (shift) {
    const side = Math.max(Math.abs(dx), Math.abs(dy));
    [dx, dy] = [Math.sign(dx || 1) * side, Math.sign(dy || 1) * side];
  }
  const from = alt ? { x: start.x - dx, y: start.y - dy } : start;
  const box = boxBetween(from, { x: start.x + dx, y: start.y + dy });
  return { ...box, width: Math.max(box.width, 1), height: Math.max(box.height, 1) };
}

function snapped(point: Point, input: Input, bench: Workbench, targets: readonly Box[]): Point {
  const wanted = bench.snapping.value !== input.ctrl;
  const spot = { ...point, width: 0, height: 0 };
  const { by, guides } = wanted ? snap(spot, allLines(spot), targets, bench.units(SNAP_PIXELS)) : NO_SNAP;
  bench.guides.value = guides;
  return { x: point.x + by.x, y: point.y + by.y };
}

export const SNAP_PIXELS = 6;
const USUAL_SIZE: Readonly<Record<BoxType, Size>> = {
  rectangle: { width: 160, height: 100 },
  ellipse: { width: 140, height: 100 },
  note: { width: 200, height: 200 },
};
