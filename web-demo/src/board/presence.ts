/** What the board needs of presence: where the others point, what they selected, what they see. */

import type { Watched } from '../watched';
import type { Box, Point } from './model/geometry';
import type { ShapeId } from './model/shape';

/** Another member with something on the board. */
export interface BoardPeer {
  readonly clientId: number;
  readonly name: string;
  /** `#rrggbb`. */
  readonly colour: string;
  readonly pointer: Point | undefined;
  readonly selection: readonly ShapeId[];
}

/** What we show of ourselves; a field that is left out stays as it was. */
export interface BoardTrace {
  readonly pointer?: Point | null;
  readonly selection?: readonly ShapeId[];
  readonly viewport?: Box;
}

export interface BoardPresence {
  readonly peers: Watched<readonly BoardPeer[]>;
  readonly publish: (trace: BoardTrace) => void;
}
