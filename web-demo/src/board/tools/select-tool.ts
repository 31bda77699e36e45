/** Selects, moves, and draws a box around shapes. Resizing and turning begin at the handles: see transforming.ts. */

import { add, boundsOfFrame, boxBetween, moved, subtract, united, type Box, type Point } from '../model/geometry';
import { shapeAt, shapesIn } from '../model/hit-testing';
import { round } from '../model/resizing';
import { frameOf, type Shape, type ShapeId } from '../model/shape';
import { allLines, NO_SNAP, snap } from '../model/snapping';
import type { Workbench } from '../workbench';
import { SNAP_PIXELS } from './box-tool';
import { isDrag, type Drag, type Input, type Tool } from './tool';

export const selectTool: Tool = {
  cursor: 'default',
  edits: false,
  press: (input, bench) => {
    const inside = bench.selection.value;
    const hit = shapeAt(input.point, bench.units(input.touch ? 10 : 5), { board: bench.board, index: bench.index, inside });
    if (hit === undefined) return drawMarquee(input, bench);
    return pressShape(hit, input, bench);
  },
};

function pressShape(hit: Shape, input: Input, bench: Workbench): Drag {
  const before = bench.selection.value;
  const wasSelected = before.has(hit.id);
  if (!wasSelected) bench.select(input.shift ? [...before, hit.id] : [hit.id]);
  const move = bench.editable.value ? moveSelection(input, bench) : undefined;
  let dragged = false;
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      dragged ||= newest !== undefined && isDrag(input, newest);
      if (dragged) move?.move(inputs);
    },
    release: () => {
      if (dragged) move?.release();
      else {
        move?.cancel();
        if (wasSelected) bench.select(input.shift ? [...before].filter((id) => id !== hit.id) : [hit.id]);
      }
    },
    cancel: () => {
      move?.cancel();
      bench.select(before);
    },
  };
}

/** With Alt, copies move and the originals stay. */
function moveSelection(first: Input, bench: Workbench): Drag {
  const gesture = bench.board.begin();
  let starts: ReadonlyMap<ShapeId, Point> | undefined;
  let box: Box | undefined;
  let targets: readonly Box[] = [];
  const begin = (): void => {
    if (first.alt) bench.select(bench.board.portable(bench.selection.value).map((copy) => gesture.create(copy)));
    const shapes = bench.selected;
    starts = new Map(shapes.map((shape) => [shape.id, shape.position]));
    box = united(shapes.map((shape) => boundsOfFrame(frameOf(shape))));
    targets = bench.snapTargets();
    bench.dragging.value = true;
  };
  const finish = (): void => {
    bench.guides.value = [];
    bench.dragging.value = false;
  };
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (starts === undefined) begin();
      if (newest === undefined || starts === undefined || box === undefined) return;
      let by = subtract(newest.point, first.point);
      if (newest.shift) by = Math.abs(by.x) > Math.abs(by.y) ? { x: by.x, y: 0 } : { x: 0, y: by.y };
      const here = moved(box, by);
      const wanted = bench.snapping.value !== newest.ctrl;
      const drawn = wanted ? snap(here, allLines(here), targets, bench.units(SNAP_PIXELS)) : NO_SNAP;
      bench.guides.value = drawn.guides;
      by = add(by, drawn.by);
      for (const [id, { x, y }] of starts) gesture.set(id, { position: [round(x + by.x), round(y + by.y)] });
    },
    release: () => {
      finish();
      gesture.end();
    },
    cancel: () => {
      finish();
      gesture.cancel();
    },
  };
}

function drawMarquee(first: Input, bench: Workbench): Drag {
  const before = first.shift ? bench.selection.value : new Set<ShapeId>();
  bench.select(before);
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (newest === undefined || !isDrag(first, newest)) return;
      const box = boxBetween(first.point, newest.point);
      bench.marquee.value = box;
      bench.select([...before, ...shapesIn(box, bench)]);
    },
    release: () => {
      bench.marquee.value = undefined;
      if (bench.selection.value.size > 0) bench.announce(`${bench.selection.value.size} selected`);
    },
    cancel: () => {
      bench.marquee.value = undefined;
      bench.select(before);
    },
  };
}
