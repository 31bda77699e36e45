/** Moves the board under the view. */

import type { Workbench } from '../workbench';
import type { Drag, Input, Tool } from './tool';

export const handTool: Tool = { cursor: 'grab', edits: false, press: (input, bench) => pan(input, bench) };

export function pan(first: Input, bench: Workbench): Drag {
  let last = first.screen;
  return {
    move: (inputs) => {
      const newest = inputs.at(-1);
      if (newest === undefined) return;
      bench.camera.pan({ x: newest.screen.x - last.x, y: newest.screen.y - last.y });
      last = newest.screen;
    },
    release: () => undefined,
    cancel: () => undefined,
  };
}
