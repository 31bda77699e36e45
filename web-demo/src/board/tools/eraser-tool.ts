/** Deletes what it is drawn over. */

import { shapeAt } from '../model/hit-testing';
import type { Input, Tool } from './tool';

export const eraserTool: Tool = {
  cursor: 'cell',
  edits: true,
  press: (first, bench) => {
    const gesture = bench.board.begin();
    let last = first.point;
    const erase = ({ point }: Input): void => {
      // Between two places of a quick hand lie shapes too.
      const steps = Math.max(1, Math.ceil(Math.hypot(point.x - last.x, point.y - last.y) / bench.units(6)));
      for (let step = 1; step <= Math.min(steps, 200); step += 1) {
        const at = { x: last.x + ((point.x - last.x) * step) / steps, y: last.y + ((point.y - last.y) * step) / steps };
        const hit = shapeAt(at, bench.units(6), { board: bench.board, index: bench.index, inside: new Set() });
        if (hit !== undefined) gesture.remove([hit.id]);
      }
      last = point;
    };
    erase(first);
    return { move: (inputs) => inputs.forEach(erase), release: () => gesture.end(), cancel: () => gesture.cancel() };
  },
};
