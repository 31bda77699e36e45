/**
 * Shapes as the page works with them: immutable, complete, within bounds.
 *
 * A shape is what it looks like (`look`) and where it stands. Looks keep their identity while their fields do, so that
 * what is expensive to make of them (outlines, wrapped lines) is made once and survives every move.
 */

import { boxAround, type Box, type Frame, type Point } from './geometry';
import type { ColourName } from './palette';

export type ShapeId = string;

export interface Shape {
  readonly id: ShapeId;
  readonly order: string;
  readonly position: Point;
  /** Degrees, clockwise, around the middle of the box. */
  readonly rotation: number;
  readonly look: Look;
}

export type Look = BoxLook | LineLook | PenLook | TextLook | NoteLook | ImageLook;
export type ShapeType = Look['type'];
export type Fill = 'none' | 'tint' | 'solid';
export type Dash = 'solid' | 'dashed' | 'dotted';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface BoxLook {
  readonly type: 'rectangle' | 'ellipse';
  readonly colour: ColourName;
  readonly size: Size;
  readonly fill: Fill;
  readonly stroke: number;
  readonly dash: Dash;
  readonly text: string;
  readonly fontSize: number;
}

export interface LineLook {
  readonly type: 'line' | 'arrow';
  readonly colour: ColourName;
  /** From the start to the end. */
  readonly vector: Point;
  readonly stroke: number;
  readonly dash: Dash;
}

export interface PenLook {
  readonly type: 'pen';
  readonly colour: ColourName;
  /** Three numbers a point: x and y in tenths of a unit, pressure 0 to 100. */
  readonly points: readonly number[];
  readonly scale: Point;
  readonly stroke: number;
}

export interface TextLook {
  readonly type: 'text';
  readonly colour: ColourName;
  readonly text: string;
  readonly fontSize: number;
  /** Follows from the text and the font. */
  readonly size: Size;
}

export interface NoteLook {
  readonly type: 'note';
  readonly colour: ColourName;
  readonly size: Size;
  readonly text: string;
  readonly fontSize: number;
}

export interface ImageLook {
  readonly type: 'image';
  readonly colour: ColourName;
  readonly size: Size;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly alt: string;
}

/** The unrotated box of a look, counted from the shape's position. */
export function localBox(look: Look): Box {
  switch (look.type) {
    case 'line':
    case 'arrow':
      return boxAround([{ x: 0, y: 0 }, look.vector]);
    case 'pen':
      return penBox(look);
    default:
      return { x: 0, y: 0, ...look.size };
  }
}

export function frameOf(shape: Shape): Frame {
  const box = localBox(shape.look);
  return {
    x: shape.position.x + box.x,
    y: shape.position.y + box.y,
    width: box.width,
    height: box.height,
    rotation: shape.rotation,
  };
}

/** Whether people can write into it. */
export function holdsText(look: Look): look is BoxLook | TextLook | NoteLook {
  return look.type === 'rectangle' || look.type === 'ellipse' || look.type === 'text' || look.type === 'note';
}

/** How wide the line of a look is; 0 where there is none. */
export function strokeOf(look: Look): number {
  return 'stroke' in look ? look.stroke : 0;
}

/** The points of a pen stroke, scaled, with pressure from 0 to 1. */
export function* penPoints(look: PenLook): Generator<Point & { readonly pressure: number }> {
  const { points, scale } = look;
  for (let at = 0; at + 2 < points.length; at += 3) {
    yield {
      x: ((points[at] ?? 0) / 10) * scale.x,
      y: ((points[at + 1] ?? 0) / 10) * scale.y,
      pressure: (points[at + 2] ?? 50) / 100,
    };
  }
}

function penBox(look: PenLook): Box {
  const known = penBoxes.get(look);
  if (known !== undefined) return known;
  const box = boxAround(penPoints(look));
  penBoxes.set(look, box);
  return box;
}

const penBoxes = new WeakMap<PenLook, Box>();
