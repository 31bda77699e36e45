/** What a tool is: it takes a press of the pointer and gives the drag that follows from it. */

import type { Point } from '../model/geometry';
import type { Workbench } from '../workbench';

export interface Input {
  /** On the board. */
  readonly point: Point;
  /** In CSS pixels from the surface's left upper corner. */
  readonly screen: Point;
  /** 0 to 1; 0.5 for what has none. */
  readonly pressure: number;
  readonly shift: boolean;
  readonly alt: boolean;
  /** Control, or Command on a Mac. */
  readonly ctrl: boolean;
  readonly touch: boolean;
}

export interface Drag {
  /** All places since the last call, the newest last; there is at least one. */
  readonly move: (inputs: readonly Input[]) => void;
  readonly release: () => void;
  /** Takes everything back. */
  readonly cancel: () => void;
}

export interface Tool {
  /** A CSS cursor. */
  readonly cursor: string;
  readonly press: (input: Input, bench: Workbench) => Drag;
  /** Whether it changes the board: such tools rest where nothing may be changed. */
  readonly edits: boolean;
}

/** Farther than a hand trembles. */
export function isDrag(from: Input, to: Input): boolean {
  return Math.hypot(to.screen.x - from.screen.x, to.screen.y - from.screen.y) > (from.touch ? 8 : 3);
}

export const NO_DRAG: Drag = { move: () => undefined, release: () => undefined, cancel: () => undefined };
