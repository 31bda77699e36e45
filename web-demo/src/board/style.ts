/** The style that new shapes get: what was chosen last, kept in this browser. */

import { readStored, writeStored } from '../browser-storage';
import { clamp } from './model/geometry';
import { COLOUR_NAMES, type ColourName } from './model/palette';
import type { Dash, Fill, Look, ShapeType } from './model/shape';
import type { PlainFields } from './model/stored-fields';

export interface ShapeStyle {
  readonly colour: ColourName;
  readonly noteColour: ColourName;
  readonly fill: Fill;
  readonly dash: Dash;
  /** Of lines and boxes; a pen draws twice as wide. */
  readonly stroke: number;
  readonly fontSize: number;
}

export const FILLS: readonly Fill[] = ['none', 'tint', 'solid'];
export const DASHES: readonly Dash[] = ['solid', 'dashed', 'dotted'];
export const STROKES = [2, 3, 5, 9] as const;
export const FONT_SIZES = [14, 20, 32, 56] as const;

/** The fields that a new shape of a type takes from the style. */
export function styledFields(type: ShapeType, style: ShapeStyle): PlainFields {
  const { colour, fill, dash, stroke, fontSize } = style;
  switch (type) {
    case 'rectangle':
    case 'ellipse':
      return { type, colour, fill, dash, stroke, fontSize };
    case 'line':
    case 'arrow':
      return { type, colour, dash, stroke };
    case 'pen':
      return { type, colour, stroke: stroke * PEN_WIDTH };
    case 'text':
      return { type, colour, fontSize };
    case 'note':
      return { type, colour: style.noteColour, fontSize };
    case 'image':
      return { type };
  }
}

/** What a change of style changes of a shape that is there: only the fields that its type has. */
export function restyledFields(look: Look, change: Partial<ShapeStyle>): PlainFields {
  const { colour, fill, dash, stroke, fontSize } = change;
  return {
    ...(colour !== undefined && look.type !== 'image' && { colour }),
    ...(fill !== undefined && 'fill' in look && { fill }),
    ...(dash !== undefined && 'dash' in look && { dash }),
    ...(stroke !== undefined && 'stroke' in look && { stroke: look.type === 'pen' ? stroke * PEN_WIDTH : stroke }),
    ...(fontSize !== undefined && 'fontSize' in look && { fontSize }),
  };
}

/** The style of a shape, for the bar to show. */
export function styleOf(look: Look): Partial<ShapeStyle> {
  return {
    ...(look.type !== 'image' && { colour: look.colour }),
    ...('fill' in look && { fill: look.fill }),
    ...('dash' in look && { dash: look.dash }),
    ...('stroke' in look && { stroke: look.type === 'pen' ? look.stroke / PEN_WIDTH : look.stroke }),
    ...('fontSize' in look && { fontSize: look.fontSize }),
  };
}

export function storedStyle(): ShapeStyle {
  const stored = readStored(KEY);
  const fields = (typeof stored === 'object' && stored !== null ? stored : {}) as Readonly<Record<string, unknown>>;
  const oneOf = <Value>(values: readonly Value[], value: unknown, otherwise: Value): Value => values.find((known) => known === value) ?? otherwise;
  const number = (value: unknown, otherwise: number): number => (typeof value === 'number' && Number.isFinite(value) ? value : otherwise);
  return {
    colour: oneOf(COLOUR_NAMES, fields['colour'], 'ink'),
    noteColour: oneOf(COLOUR_NAMES, fields['noteColour'], 'yellow'),
    fill: oneOf(FILLS, fields['fill'], 'none'),
    dash: oneOf(DASHES, fields['dash'], 'solid'),
    stroke: clamp(number(fields['stroke'], 3), 1, 32),
    fontSize: clamp(number(fields['fontSize'], 20), 8, 120),
  };
}

export function storeStyle(style: ShapeStyle): void {
  writeStored(KEY, style);
}

const PEN_WIDTH = 2;
const KEY = 'ydock.board-style';
