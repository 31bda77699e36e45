/**
 * From what stands in the document to shapes. Any client may have written anything: what is missing or unfit becomes its
 * default, what cannot be drawn becomes undefined.
 */

import * as Y from 'yjs';
import type { Point } from './geometry';
import {
  FARTHEST,
  FONT_SIZE,
  LARGEST_FOREIGN_IMAGE,
  LONGEST_SIDE,
  LONGEST_TEXT,
  MOST_POINT_NUMBERS,
  SMALLEST_SIDE,
  STROKE,
} from './limits';
import { COLOUR_NAMES, type ColourName } from './palette';
import type { Dash, Fill, Look, Shape, ShapeId, Size } from './shape';

/** The fields of one shape, with what is being changed and not yet written in front. */
export interface Fields {
  readonly get: (name: string) => unknown;
}

/** How large the lines of a text are; known to whoever has fonts. */
export type TextMeasure = (text: string, fontSize: number) => Size;

export interface ReadOptions {
  readonly measure: TextMeasure;
  /** The shape as it was, whose look is kept where nothing of it changed. */
  readonly before: Shape | undefined;
  /** Whether `points` may have changed: they are long. */
  readonly samePoints: boolean;
}

export function readShape(id: ShapeId, fields: Fields, options: ReadOptions): Shape | undefined {
  const position = pair(fields.get('position'), FARTHEST);
  if (position === undefined) return undefined;
  const look = readLook(fields, options);
  if (look === undefined) return undefined;
  return {
    id,
    order: typeof fields.get('order') === 'string' ? (fields.get('order') as string).slice(0, LONGEST_ORDER) : 'a0',
    position,
    rotation: number(fields.get('rotation'), 0) % 360,
    look,
  };
}

function readLook(fields: Fields, { measure, before, samePoints }: ReadOptions): Look | undefined {
  const old = before?.look;
  const look = lookOf(fields, measure, samePoints && old?.type === 'pen' ? old.points : undefined);
  return look !== undefined && old !== undefined && sameLook(old, look) ? old : look;
}

function lookOf(fields: Fields, measure: TextMeasure, knownPoints: readonly number[] | undefined): Look | undefined {
  const colour = readColour(fields.get('colour'));
  const fontSize = bounded(fields.get('fontSize'), FONT_SIZE, 20);
  const type = fields.get('type');
  switch (type) {
    case 'rectangle':
    case 'ellipse': {
      const size = readSize(fields.get('size'));
      if (size === undefined) return undefined;
      const [fill, dash] = [readFill(fields.get('fill')), readDash(fields.get('dash'))];
      return { type, colour, size, fill, dash, stroke: bounded(fields.get('stroke'), STROKE, 3), text: readText(fields.get('text')), fontSize };
    }
    case 'line':
    case 'arrow': {
      const vector = pair(fields.get('size'), LONGEST_SIDE);
      if (vector === undefined) return undefined;
      return { type, colour, vector, stroke: bounded(fields.get('stroke'), STROKE, 3), dash: readDash(fields.get('dash')) };
    }
    case 'pen': {
      const points = knownPoints ?? readPoints(fields.get('points'));
      if (points.length < 3) return undefined;
      return { type, colour, points, scale: readScale(fields.get('scale')), stroke: bounded(fields.get('stroke'), STROKE, 6) };
    }
    case 'text': {
      const text = readText(fields.get('text'));
      return { type, colour, text, fontSize, size: measure(text, fontSize) };
    }
    case 'note':
      return { type, colour, size: readSize(fields.get('size')) ?? { width: 200, height: 200 }, text: readText(fields.get('text')), fontSize };
    case 'image':
      return readImage(fields, colour);
    default:
      return undefined;
  }
}

function readImage(fields: Fields, colour: ColourName): Look | undefined {
  const [size, bytes, mediaType, alt] = [readSize(fields.get('size')), fields.get('bytes'), fields.get('mediaType'), fields.get('alt')];
  if (size === undefined || !(bytes instanceof Uint8Array) || bytes.length > LARGEST_FOREIGN_IMAGE) return undefined;
  if (typeof mediaType !== 'string' || !IMAGE_TYPES.includes(mediaType)) return undefined;
  return {
    type: 'image',
    colour,
    size,
    mediaType,
    bytes: bytes as Uint8Array<ArrayBuffer>,
    alt: typeof alt === 'string' ? alt.slice(0, LONGEST_ALT) : '',
  };
}

function sameLook(a: Look, b: Look): boolean {
  const keys = Object.keys(b) as (keyof Look)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key] || sameValue(a[key], b[key]));
}

/** Sizes and points in looks are objects of two numbers. */
function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || a instanceof Uint8Array) return false;
  const entries = Object.entries(b);
  return entries.length > 0 && entries.every(([key, value]) => (a as Record<string, unknown>)[key] === value);
}

function pair(value: unknown, farthest: number): Point | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [x, y] = value as unknown[];
  if (typeof x !== 'number' || typeof y !== 'number' || !Number.isFinite(x) || !Number.isFinite(y)) return undefined;
  if (Math.abs(x) > farthest || Math.abs(y) > farthest) return undefined;
  return { x, y };
}

function readSize(value: unknown): Size | undefined {
  const sides = pair(value, LONGEST_SIDE);
  if (sides === undefined || sides.x < SMALLEST_SIDE || sides.y < SMALLEST_SIDE) return undefined;
  return { width: sides.x, height: sides.y };
}

function readScale(value: unknown): Point {
  const scale = pair(value, 1000);
  return scale === undefined || scale.x === 0 || scale.y === 0 ? { x: 1, y: 1 } : scale;
}

/** A shared array, or the plain one of a stroke that is being drawn here. */
function readPoints(value: unknown): readonly number[] {
  if (!(value instanceof Y.Array) && !Array.isArray(value)) return [];
  const numbers: unknown[] = value.slice(0, MOST_POINT_NUMBERS);
  const fit = numbers.every((entry) => typeof entry === 'number' && Math.abs(entry) <= FARTHEST * 10);
  return fit ? (numbers.slice(0, numbers.length - (numbers.length % 3)) as number[]) : [];
}

function readText(value: unknown): string {
  return value instanceof Y.Text ? value.toString().slice(0, LONGEST_TEXT) : '';
}

function readColour(value: unknown): ColourName {
  return COLOUR_NAMES.find((name) => name === value) ?? 'ink';
}

function readFill(value: unknown): Fill {
  return value === 'tint' || value === 'solid' ? value : 'none';
}

function readDash(value: unknown): Dash {
  return value === 'dashed' || value === 'dotted' ? value : 'solid';
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

function bounded(value: unknown, { least, most }: { least: number; most: number }, otherwise: number): number {
  const read = number(value, otherwise);
  return read >= least && read <= most ? read : otherwise;
}

export const IMAGE_TYPES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const LONGEST_ORDER = 256;
const LONGEST_ALT = 1000;
