/** Draws a stroke. It grows in the document while it is drawn, so that others see it and a crash keeps it. */

import { distance, type Point } from '../model/geometry';
import { MOST_POINT_NUMBERS } from '../model/limits';
import type { ShapeId } from '../model/shape';
import { styledFields } from '../style';
import type { Workbench } from '../workbench';
import type { Drag, Input, Tool } from './tool';

export const penTool: Tool = {
  cursor: 'crosshair',
  edits: true,
  press: (input, bench) => stroke(input, bench),
};

function stroke(first: Input, bench: Workbench): Drag {
  const gesture = bench.board.begin();
  let { id, origin } = startStroke(first, bench, gesture.create);
  let last = first.point;
  let numbers = 3;
  return {
    move: (inputs) => {
      const fresh: number[] = [];
      for (const input of inputs) {
        if (distance(input.point, last) < bench.units(LEAST_PIXELS)) continue;
        last = input.point;
        fresh.push(...encoded(input, origin));
      }
      if (fresh.length === 0) return;
      gesture.append(id, fresh);
      numbers += fresh.length;
      const newest = inputs.at(-1);
      if (numbers < MOST_POINT_NUMBERS - 300 || newest === undefined) return;
      ({ id, origin } = startStroke(newest, bench, gesture.create));
      numbers = 3;
    },
    release: () => gesture.end(),
    cancel: () => gesture.cancel(),
  };
}

function startStroke(input: Input, bench: Workbench, create: ReturnType<Workbench['board']['begin']>['create']): { id: ShapeId; origin: Point } {
  const origin = { x: Math.round(input.point.x * 10) / 10, y: Math.round(input.point.y * 10) / 10 };
  const fields = { ...styledFields('pen', bench.style.value), position: [origin.x, origin.y] };
  return { id: create({ fields, points: encoded(input, origin) }), origin };
}

/** Three whole numbers, as docs/whiteboard-schema.md has them. */
function encoded({ point, pressure }: Input, origin: Point): number[] {
  return [Math.round((point.x - origin.x) * 10), Math.round((point.y - origin.y) * 10), Math.round(pressure * 100)];
}

/** Nearer points add bytes and no shape. */
const LEAST_PIXELS = 1.5;
