/**
 * What a look is made of: paths, lines of text and images around the shape's position. One description for the canvas,
 * for SVG and for PNG; colours stay names until a paper is known.
 */

import { grown, united, type Box, type Point } from '../model/geometry';
import type { Paint } from '../model/palette';
import { localBox, type BoxLook, type Dash, type ImageLook, type LineLook, type Look, type NoteLook, type Size, type TextLook } from '../model/shape';
import { LINE_HEIGHT, type Fonts } from './fonts';
import { brokenLines, fittedText } from './line-breaking';
import { penOutline } from './pen-outline';

export interface Drawing {
  /** Everything that is painted, unrotated. */
  readonly painted: Box;
  readonly marks: readonly Mark[];
}

export type Mark = PathMark | TextMark | ImageMark;

export interface PathMark {
  readonly kind: 'path';
  /** SVG path data. */
  readonly path: string;
  readonly fill?: Paint;
  readonly stroke?: { readonly paint: Paint; readonly width: number; readonly dash: readonly number[] };
}

export interface TextMark {
  readonly kind: 'text';
  readonly lines: readonly string[];
  readonly fontSize: number;
  readonly align: 'left' | 'center';
  /** Where the first baseline begins, or has its middle. */
  readonly at: Point;
  readonly paint: Paint;
}

export interface ImageMark {
  readonly kind: 'image';
  readonly image: ImageLook;
  readonly size: Size;
}

/** The drawing of a look, made once. */
export function drawingOf(look: Look, fonts: Fonts): Drawing {
  const known = drawings.get(look);
  if (known !== undefined) return known;
  const drawing = { marks: marksOf(look, fonts), painted: paintedBox(look) };
  drawings.set(look, drawing);
  return drawing;
}

function marksOf(look: Look, fonts: Fonts): readonly Mark[] {
  switch (look.type) {
    case 'rectangle':
    case 'ellipse':
      return [boxMark(look), ...labelMarks(look, fonts)];
    case 'line':
    case 'arrow':
      return lineMarks(look);
    case 'pen':
      return [{ kind: 'path', path: penOutline(look), fill: { kind: 'strong', colour: look.colour } }];
    case 'text':
      return textMarks(look, fonts);
    case 'note':
      return noteMarks(look, fonts);
    case 'image':
      return [{ kind: 'image', image: look, size: look.size }];
  }
}

function boxMark(look: BoxLook): PathMark {
  const { width, height } = look.size;
  const path = look.type === 'ellipse' ? ellipsePath(width, height) : roundedPath(width, height, Math.min(ROUNDING, width / 4, height / 4));
  const stroke = { paint: { kind: 'strong', colour: look.colour } as const, width: look.stroke, dash: dashes(look.dash, look.stroke) };
  if (look.fill === 'none') return { kind: 'path', path, stroke };
  return { kind: 'path', path, stroke, fill: { kind: look.fill === 'solid' ? 'strong' : 'pale', colour: look.colour } };
}

function labelMarks(look: BoxLook, fonts: Fonts): readonly Mark[] {
  if (look.text === '') return [];
  const { width, height } = look.size;
  const lines = brokenLines(look.text, labelWidth(look), look.fontSize, fonts);
  const top = (height - lines.length * look.fontSize * LINE_HEIGHT) / 2;
  const paint = labelPaint(look);
  return [{ kind: 'text', lines, fontSize: look.fontSize, align: 'center', at: { x: width / 2, y: top + fonts.baseline(look.fontSize) }, paint }];
}

/** How wide the lines of a label may be; an ellipse holds less. */
export function labelWidth(look: BoxLook): number {
  const inside = look.type === 'ellipse' ? look.size.width * Math.SQRT1_2 : look.size.width;
  return Math.max(inside - 2 * PADDING, 1);
}

export function labelPaint(look: BoxLook): Paint {
  if (look.fill === 'solid') return { kind: 'paper' };
  return { kind: 'strong', colour: look.fill === 'tint' ? 'ink' : look.colour };
}

function lineMarks(look: LineLook): readonly Mark[] {
  const { x, y } = look.vector;
  const paint = { kind: 'strong', colour: look.colour } as const;
  const shaft: PathMark = { kind: 'path', path: `M0 0L${n(x)} ${n(y)}`, stroke: { paint, width: look.stroke, dash: dashes(look.dash, look.stroke) } };
  const length = Math.hypot(x, y);
  if (look.type === 'line' || length === 0) return [shaft];
  const head = Math.min(headLength(look.stroke), length);
  const barb = (turn: number): string => {
    const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
    const [ux, uy] = [-x / length, -y / length];
    return `${n(x + head * (ux * cos - uy * sin))} ${n(y + head * (ux * sin + uy * cos))}`;
  };
  const path = `M${barb(HEAD_ANGLE)}L${n(x)} ${n(y)}L${barb(-HEAD_ANGLE)}`;
  return [shaft, { kind: 'path', path, stroke: { paint, width: look.stroke, dash: [] } }];
}

function textMarks(look: TextLook, fonts: Fonts): readonly Mark[] {
  const at = { x: 0, y: fonts.baseline(look.fontSize) };
  return [{ kind: 'text', lines: look.text.split('\n'), fontSize: look.fontSize, align: 'left', at, paint: { kind: 'strong', colour: look.colour } }];
}

function noteMarks(look: NoteLook, fonts: Fonts): readonly Mark[] {
  const { width, height } = look.size;
  const sheet: PathMark = { kind: 'path', path: roundedPath(width, height, 3), fill: { kind: 'pale', colour: look.colour } };
  if (look.text === '') return [sheet];
  const { lines, fontSize } = noteText(look, fonts);
  const at = { x: PADDING, y: PADDING + fonts.baseline(fontSize) };
  return [sheet, { kind: 'text', lines, fontSize, align: 'left', at, paint: { kind: 'strong', colour: 'ink' } }];
}

export function noteText(look: NoteLook, fonts: Fonts): { readonly lines: readonly string[]; readonly fontSize: number } {
  const room = { width: Math.max(look.size.width - 2 * PADDING, 1), height: look.size.height - 2 * PADDING };
  return fittedText(look.text, room, look.fontSize, fonts);
}

function paintedBox(look: Look): Box {
  const box = localBox(look);
  switch (look.type) {
    case 'pen':
      return grown(box, look.stroke);
    case 'line':
      return grown(box, look.stroke);
    case 'arrow':
      return grown(box, headLength(look.stroke) + look.stroke);
    case 'rectangle':
    case 'ellipse':
      // A label may be higher than its box.
      return look.text === '' ? grown(box, look.stroke) : united([grown(box, look.stroke), labelBox(look)]);
    default:
      return grown(box, 2);
  }
}

/** A bound of a label's box that needs no fonts: as if each letter took a line, up to a sensible height. */
function labelBox(look: BoxLook): Box {
  const lines = Math.min(look.text.length, 1 + look.text.split('\n').length + (look.text.length * look.fontSize) / labelWidth(look));
  const height = lines * look.fontSize * LINE_HEIGHT;
  return { x: 0, y: (look.size.height - height) / 2, width: look.size.width, height };
}

function ellipsePath(width: number, height: number): string {
  const [rx, ry] = [n(width / 2), n(height / 2)];
  return `M0 ${ry}A${rx} ${ry} 0 0 1 ${n(width)} ${ry}A${rx} ${ry} 0 0 1 0 ${ry}Z`;
}

function roundedPath(width: number, height: number, radius: number): string {
  const r = n(radius);
  const arc = (x: number, y: number): string => `A${r} ${r} 0 0 1 ${n(x)} ${n(y)}`;
  return (
    `M${r} 0H${n(width - radius)}${arc(width, radius)}V${n(height - radius)}${arc(width - radius, height)}` +
    `H${r}${arc(0, height - radius)}V${r}${arc(radius, 0)}Z`
  );
}

function dashes(dash: Dash, stroke: number): readonly number[] {
  switch (dash) {
    case 'solid':
      return [];
    case 'dashed':
      return [stroke * 3, stroke * 2.5];
    case 'dotted':
      return [0.1, stroke * 2];
  }
}

function headLength(stroke: number): number {
  return 8 + stroke * 3;
}

/** Two decimals are a twentieth of a pixel at the largest zoom, and half of the bytes. */
export function n(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Units between the edge of a note or a labelled box and its text. */
export const PADDING = 12;
const ROUNDING = 8;
const HEAD_ANGLE = Math.PI / 7;
const drawings = new WeakMap<Look, Drawing>();
