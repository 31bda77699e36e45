/** Paints shapes on a canvas whose transformation already leads from board units to pixels. */

import { middle } from '../model/geometry';
import { colourOf, type Paper } from '../model/palette';
import { localBox, type Shape } from '../model/shape';
import { drawingOf, type Mark, type PathMark, type TextMark } from './drawing';
import { FONT_FAMILY, LINE_HEIGHT, type Fonts } from './fonts';
import type { Pictures } from './pictures';

export interface PainterOptions {
  readonly fonts: Fonts;
  readonly pictures: Pictures;
  readonly paper: Paper;
  /** Pixels a unit: text too small to be read is left out. */
  readonly scale: number;
  /** The shape whose text is in a text field now. */
  readonly writtenInto?: string | undefined;
}

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export function paintShape(context: Context, shape: Shape, options: PainterOptions): void {
  const { marks } = drawingOf(shape.look, options.fonts);
  context.save();
  context.translate(shape.position.x, shape.position.y);
  if (shape.rotation !== 0) {
    const { x, y } = middle(localBox(shape.look));
    context.translate(x, y);
    context.rotate((shape.rotation * Math.PI) / 180);
    context.translate(-x, -y);
  }
  for (const mark of marks) {
    if (mark.kind !== 'text' || shape.id !== options.writtenInto) paintMark(context, mark, options);
  }
  context.restore();
}

function paintMark(context: Context, mark: Mark, options: PainterOptions): void {
  switch (mark.kind) {
    case 'path':
      paintPath(context, mark, options.paper);
      break;
    case 'text':
      if (mark.fontSize * options.scale >= SMALLEST_READABLE) paintText(context, mark, options.paper);
      break;
    case 'image': {
      const picture = options.pictures.of(mark.image);
      const { width, height } = mark.size;
      if (picture.state === 'ready') {
        context.drawImage(picture.bitmap, 0, 0, width, height);
      } else {
        context.fillStyle = colourOf({ kind: 'pale', colour: 'grey' }, options.paper);
        context.fillRect(0, 0, width, height);
      }
    }
  }
}

function paintPath(context: Context, mark: PathMark, paper: Paper): void {
  const path = pathOf(mark);
  if (mark.fill !== undefined) {
    context.fillStyle = colourOf(mark.fill, paper);
    context.fill(path);
  }
  if (mark.stroke !== undefined) {
    context.strokeStyle = colourOf(mark.stroke.paint, paper);
    context.lineWidth = mark.stroke.width;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.setLineDash(mark.stroke.dash as number[]);
    context.stroke(path);
  }
}

function paintText(context: Context, mark: TextMark, paper: Paper): void {
  context.fillStyle = colourOf(mark.paint, paper);
  context.font = `${mark.fontSize}px ${FONT_FAMILY}`;
  context.textAlign = mark.align;
  context.textBaseline = 'alphabetic';
  mark.lines.forEach((line, index) => context.fillText(line, mark.at.x, mark.at.y + index * mark.fontSize * LINE_HEIGHT));
}

function pathOf(mark: PathMark): Path2D {
  const known = paths.get(mark);
  if (known !== undefined) return known;
  const path = new Path2D(mark.path);
  paths.set(mark, path);
  return path;
}

const SMALLEST_READABLE = 3;
const paths = new WeakMap<PathMark, Path2D>();
