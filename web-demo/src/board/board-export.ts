/** The board as a picture: SVG, or PNG painted from the same drawings. */

import { paintShape } from './drawing/canvas-painter';
import type { Fonts } from './drawing/fonts';
import { Pictures } from './drawing/pictures';
import { writeSvg } from './drawing/svg-writer';
import { grown, type Box } from './model/geometry';
import { PAPER } from './model/palette';
import type { Shape } from './model/shape';

export interface BoardPicture {
  readonly shapes: readonly Shape[];
  /** Of everything that is painted; undefined for an empty board. */
  readonly box: Box | undefined;
  readonly fonts: Fonts;
}

export function boardSvg({ shapes, box, fonts }: BoardPicture): Blob {
  return new Blob([writeSvg(shapes, { fonts, paper: 'light', view: viewOf(box) })], { type: 'image/svg+xml' });
}

/** Twice the size of 100 %, less for boards that no canvas could hold. */
export async function boardPng({ shapes, box, fonts }: BoardPicture): Promise<Blob> {
  const view = viewOf(box);
  const scale = Math.min(2, LONGEST_SIDE / Math.max(view.width, view.height), Math.sqrt(MOST_PIXELS / (view.width * view.height)));
  const canvas = new OffscreenCanvas(Math.max(1, Math.ceil(view.width * scale)), Math.max(1, Math.ceil(view.height * scale)));
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the browser offers no canvas');
  const pictures = new Pictures(() => undefined);
  for (const { look } of shapes) if (look.type === 'image') await pictures.load(look);
  context.fillStyle = PAPER.light;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
  // Far scaled down, text is painted all the same: a picture is looked at closely.
  for (const shape of shapes) paintShape(context, shape, { fonts, pictures, paper: 'light', scale: 1 });
  return canvas.convertToBlob({ type: 'image/png' });
}

function viewOf(box: Box | undefined): Box {
  return box === undefined ? { x: 0, y: 0, width: 400, height: 300 } : grown(box, MARGIN);
}

const MARGIN = 24;
const LONGEST_SIDE = 8192;
const MOST_PIXELS = 32_000_000;
