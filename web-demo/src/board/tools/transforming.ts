/** The drags that begin at the handles of a selection: resizing, turning, and drawing an end of a line elsewhere. */

import { add, bearing, boundsOfFrame, middle, type Frame, type Point } from '../model/geometry';
import { fieldsInFrame, frameInGroup, resized, round, turned, type Handle } from '../model/resizing';
import { frameOf, type LineLook, type Shape } from '../model/shape';
import { NO_SNAP, snap } from '../model/snapping';
import type { Gesture } from '../model/board-document';
import type { Workbench } from '../workbench';
import { SNAP_PIXELS } from './box-tool';
import { lineEnd } from './line-tool';
import type { Drag, Input } from './tool';

export function resizeSelection(handle: Handle, first: Input, bench: Workbench): Drag {
  const before = bench.selectionFrame;
  const shapes = bench.selected;
  if (before === undefined) return idle(bench);
  const offset = gripOffset(before, handle, first.point);
  const targets = bench.snapTargets();
  return transformation(bench, (input, gesture) => {
    const keepShape = input.shift || shapes.length > 1 || shapes.some(({ look }) => look.type === 'text' || look.type === 'image');
    let to = add(input.point, offset);
    if (bench.snapping.value !== input.ctrl && before.rotation === 0 && !keepShape) {
      const spot = { ...to, width: 0, height: 0 };
      const lines = { x: handle.x === 0 ? [] : [to.x], y: handle.y === 0 ? [] : [to.y] };
      const drawn = snap(spot, lines, targets, bench.units(SNAP_PIXELS));
      bench.guides.value = drawn.guides;
      to = add(to, drawn.by);
    } else {
      bench.guides.value = NO_SNAP.guides;
    }
    const after = resized(before, handle, to, { keepShape, fromMiddle: input.alt });
    for (const shape of shapes) {
      const frame = shapes.length === 1 ? after : frameInGroup(frameOf(shape), before, after);
      gesture.set(shape.id, fieldsInFrame(shape, frame));
    }
  });
}

/** Free; with Shift in steps of 15°, and always caught near upright. */
export function turnSelection(first: Input, bench: Workbench): Drag {
  const before = bench.selectionFrame;
  const shapes = bench.selected;
  if (before === undefined) return idle(bench);
  const around = middle(before);
  const start = bearing(around, first.point);
  return transformation(bench, (input, gesture) => {
    let degrees = bearing(around, input.point) - start;
    const result = before.rotation + degrees;
    if (input.shift) degrees = Math.round(result / 15) * 15 - before.rotation;
    else if (Math.abs(result - Math.round(result / 90) * 90) < 3) degrees = Math.round(result / 90) * 90 - before.rotation;
    for (const shape of shapes) gesture.set(shape.id, turnedFields(shape, around, degrees));
  });
}

/** Draws the start or the end of a line elsewhere; the other stays. */
export function moveLineEnd(which: 'start' | 'end', shape: Shape & { readonly look: LineLook }, bench: Workbench): Drag {
  const start = shape.position;
  const end = add(start, shape.look.vector);
  return transformation(bench, (input, gesture) => {
    const [from, to] = which === 'end' ? [start, lineEnd(start, input.point, input.shift)] : [lineEnd(end, input.point, input.shift), end];
    gesture.set(shape.id, {
      position: [round(from.x), round(from.y)],
      size: [round(to.x - from.x), round(to.y - from.y)],
      rotation: 0,
    });
  });
}

/** What a turned shape stores: lines turn their ends, so that these stay what is stored. */
export function turnedFields(shape: Shape, around: Point, degrees: number): ReturnType<typeof fieldsInFrame> {
  const { look } = shape;
  const after = turned(frameOf(shape), around, degrees);
  if (look.type !== 'line' && look.type !== 'arrow') {
    const frame = frameOf(shape);
    const [dx, dy] = [after.x - frame.x, after.y - frame.y];
    return { position: [round(shape.position.x + dx), round(shape.position.y + dy)], rotation: round(after.rotation) };
  }
  const radians = (degrees * Math.PI) / 180;
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  const vector = { x: look.vector.x * cos - look.vector.y * sin, y: look.vector.x * sin + look.vector.y * cos };
  const centre = middle(after);
  return {
    position: [round(centre.x - vector.x / 2), round(centre.y - vector.y / 2)],
    size: [round(vector.x), round(vector.y)],
  };
}

function transformation(bench: Workbench, apply: (input: Input, gesture: Gesture) => void): Drag {
  const gesture = bench.board.begin();
  bench.dragging.value = true;
  const finish = (): void => {
    bench.guides.value = [];
    bench.dragging.value = false;
  };
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (newest !== undefined) apply(newest, gesture);
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

function idle(bench: Workbench): Drag {
  return transformation(bench, () => undefined);
}

/** From where the handle was taken to where it is exactly. */
function gripOffset(frame: Frame, handle: Handle, at: Point): Point {
  const centre = middle(frame);
  const exact = { x: centre.x + (handle.x * frame.width) / 2, y: centre.y + (handle.y * frame.height) / 2 };
  const radians = (frame.rotation * Math.PI) / 180;
  const [dx, dy] = [exact.x - centre.x, exact.y - centre.y];
  const placed = {
    x: centre.x + dx * Math.cos(radians) - dy * Math.sin(radians),
    y: centre.y + dx * Math.sin(radians) + dy * Math.cos(radians),
  };
  return { x: placed.x - at.x, y: placed.y - at.y };
}

/** The upright box of the selection, for moving the view to it. */
export function selectionBox(bench: Workbench): ReturnType<typeof boundsOfFrame> | undefined {
  return bench.selectionFrame === undefined ? undefined : boundsOfFrame(bench.selectionFrame);
}
