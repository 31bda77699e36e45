/** Frames under the hand: resizing by a handle, turning, and giving shapes the place that comes out. */

import { add, clamp, middle, rotate, subtract, type Frame, type Point } from './geometry';
import { FONT_SIZE } from './limits';
import { localBox, type Shape } from './shape';
import type { PlainFields } from './stored-fields';

/** A handle's place on the frame: -1 left or top, 0 in the middle, 1 right or bottom. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

export interface ResizeOptions {
  readonly keepShape: boolean;
  /** The middle stays and not the opposite side. */
  readonly fromMiddle: boolean;
}

/** The frame when its handle is drawn to `to`. */
export function resized(frame: Frame, handle: Handle, to: Point, { keepShape, fromMiddle }: ResizeOptions): Frame {
  const centre = middle(frame);
  const anchor = fromMiddle ? centre : rotate({ x: centre.x - (handle.x * frame.width) / 2, y: centre.y - (handle.y * frame.height) / 2 }, centre, frame.rotation);
  const reach = rotate(subtract(to, anchor), { x: 0, y: 0 }, -frame.rotation);
  const factor = fromMiddle ? 2 : 1;
  let width = handle.x === 0 ? frame.width : Math.max(reach.x * handle.x * factor, LEAST);
  let height = handle.y === 0 ? frame.height : Math.max(reach.y * handle.y * factor, LEAST);
  if (keepShape && frame.width > 0 && frame.height > 0) {
    const grown = [handle.x === 0 ? 0 : width / frame.width, handle.y === 0 ? 0 : height / frame.height];
    const scale = Math.max(...grown, LEAST / Math.max(frame.width, frame.height));
    [width, height] = [frame.width * scale, frame.height * scale];
  }
  const toCentre = fromMiddle ? { x: 0, y: 0 } : { x: (handle.x * width) / 2, y: (handle.y * height) / 2 };
  const { x, y } = add(anchor, rotate(toCentre, { x: 0, y: 0 }, frame.rotation));
  return { x: x - width / 2, y: y - height / 2, width, height, rotation: frame.rotation };
}

/** What to store so that the shape fills `frame`. */
export function fieldsInFrame(shape: Shape, frame: Frame): PlainFields {
  const { look } = shape;
  const box = localBox(look);
  const scale = { x: box.width > 0 ? frame.width / box.width : 1, y: box.height > 0 ? frame.height / box.height : 1 };
  const rotation = frame.rotation === shape.rotation ? {} : { rotation: round(frame.rotation) };
  switch (look.type) {
    case 'line':
    case 'arrow':
      return { ...placed(frame, box, scale), size: [round(look.vector.x * scale.x), round(look.vector.y * scale.y)], ...rotation };
    case 'pen':
      return { ...placed(frame, box, scale), scale: [look.scale.x * scale.x, look.scale.y * scale.y], ...rotation };
    case 'text': {
      const fontSize = clamp(look.fontSize * Math.min(scale.x, scale.y), FONT_SIZE.least, FONT_SIZE.most);
      return { position: [round(frame.x), round(frame.y)], fontSize: round(fontSize), ...rotation };
    }
    default:
      return { position: [round(frame.x), round(frame.y)], size: [round(frame.width), round(frame.height)], ...rotation };
  }
}

/** Where a shape of a group goes when the group's frame becomes another of the same proportions. */
export function frameInGroup(shape: Frame, before: Frame, after: Frame): Frame {
  const scale = before.width > 0 ? after.width / before.width : after.height / Math.max(before.height, LEAST);
  const centre = middle(shape);
  const x = after.x + (centre.x - before.x) * scale;
  const y = after.y + (centre.y - before.y) * scale;
  const [width, height] = [shape.width * scale, shape.height * scale];
  return { x: x - width / 2, y: y - height / 2, width, height, rotation: shape.rotation };
}

/** Where a shape goes when all around `around` turns. */
export function turned(shape: Frame, around: Point, degrees: number): Frame {
  const centre = middle(shape);
  const by = subtract(rotate(centre, around, degrees), centre);
  return { ...shape, x: shape.x + by.x, y: shape.y + by.y, rotation: (((shape.rotation + degrees) % 360) + 360) % 360 };
}

function placed(frame: Frame, box: { x: number; y: number }, scale: Point): PlainFields {
  return { position: [round(frame.x - box.x * scale.x), round(frame.y - box.y * scale.y)] };
}

/** Hundredths of a unit: nobody sees less, and they take fewer bytes. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const LEAST = 4;
