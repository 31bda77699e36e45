/** Writes on the board: a click says where. */

import type { Gesture } from '../model/board-document';
import type { Point } from '../model/geometry';
import { round } from '../model/resizing';
import type { ShapeId } from '../model/shape';
import { styledFields } from '../style';
import type { Workbench } from '../workbench';
import { NO_DRAG, type Tool } from './tool';

export const textTool: Tool = {
  cursor: 'text',
  edits: true,
  press: (input, bench) => ({
    ...NO_DRAG,
    release: () => {
      const gesture = bench.board.begin();
      const id = addText('', { x: input.point.x, y: input.point.y - bench.style.value.fontSize * 0.65 }, bench, gesture);
      bench.tool.value = 'select';
      bench.write(id, gesture);
    },
  }),
};

export function addText(text: string, at: Point, bench: Workbench, gesture: Gesture): ShapeId {
  return gesture.create({ fields: { ...styledFields('text', bench.style.value), position: [round(at.x), round(at.y)] }, text });
}
