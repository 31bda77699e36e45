/** What the board takes, of itself and of others. */

/** Coordinates lie within ± this. */
export const FARTHEST = 1_000_000;
export const LONGEST_SIDE = 100_000;
export const SMALLEST_SIDE = 1;
export const STROKE = { least: 1, most: 64 } as const;
export const FONT_SIZE = { least: 4, most: 400 } as const;
/** Numbers in one pen stroke; who draws longer starts another. */
export const MOST_POINT_NUMBERS = 30_000;
/** Characters of one text on the board that are drawn. */
export const LONGEST_TEXT = 20_000;
/** Bytes of one image, see docs/whiteboard-schema.md. */
export const LARGEST_IMAGE = 512 * 1024;
/** Bytes of an image of somebody else that are still shown. */
export const LARGEST_FOREIGN_IMAGE = 8 * 1024 * 1024;
/** Shapes of one board that are drawn. */
export const MOST_SHAPES = 50_000;
export const LONGEST_ID = 64;
