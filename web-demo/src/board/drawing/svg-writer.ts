/** Writes shapes as one SVG file that needs nothing else. */

import { toBase64 } from 'lib0/buffer';
import { middle, type Box } from '../model/geometry';
import { colourOf, PAPER, type Paper } from '../model/palette';
import { localBox, type Shape } from '../model/shape';
import { drawingOf, n, type Mark, type TextMark } from './drawing';
import { FONT_FAMILY, LINE_HEIGHT, type Fonts } from './fonts';

export interface SvgOptions {
  readonly fonts: Fonts;
  readonly paper: Paper;
  /** The part of the board that is shown. */
  readonly view: Box;
}

export function writeSvg(shapes: readonly Shape[], { fonts, paper, view }: SvgOptions): string {
  const [x, y, width, height] = [n(view.x), n(view.y), n(view.width), n(view.height)];
  const groups = shapes.map((shape) => {
    const marks = drawingOf(shape.look, fonts).marks.map((mark) => writeMark(mark, paper)).join('');
    return `<g transform="${transformOf(shape)}">${marks}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}">`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${PAPER[paper]}"/>`,
    ...groups,
    '</svg>',
    '',
  ].join('\n');
}

function transformOf(shape: Shape): string {
  const place = `translate(${n(shape.position.x)} ${n(shape.position.y)})`;
  if (shape.rotation === 0) return place;
  const { x, y } = middle(localBox(shape.look));
  return `${place} rotate(${n(shape.rotation)} ${n(x)} ${n(y)})`;
}

function writeMark(mark: Mark, paper: Paper): string {
  switch (mark.kind) {
    case 'path': {
      const fill = mark.fill === undefined ? 'none' : colourOf(mark.fill, paper);
      return `<path d="${mark.path}" fill="${fill}"${writeStroke(mark.stroke, paper)}/>`;
    }
    case 'text':
      return writeText(mark, paper);
    case 'image': {
      const { image, size } = mark;
      const title = image.alt === '' ? '' : `<title>${escaped(image.alt)}</title>`;
      const href = `data:${image.mediaType};base64,${toBase64(image.bytes)}`;
      return `<image width="${n(size.width)}" height="${n(size.height)}" preserveAspectRatio="none" href="${href}">${title}</image>`;
    }
  }
}

function writeStroke(stroke: Extract<Mark, { kind: 'path' }>['stroke'], paper: Paper): string {
  if (stroke === undefined) return '';
  const dash = stroke.dash.length === 0 ? '' : ` stroke-dasharray="${stroke.dash.map(n).join(' ')}"`;
  return ` stroke="${colourOf(stroke.paint, paper)}" stroke-width="${n(stroke.width)}" stroke-linecap="round" stroke-linejoin="round"${dash}`;
}

function writeText(mark: TextMark, paper: Paper): string {
  const anchor = mark.align === 'center' ? ' text-anchor="middle"' : '';
  const lines = mark.lines.map((line, index) => {
    const y = n(mark.at.y + index * mark.fontSize * LINE_HEIGHT);
    return `<tspan x="${n(mark.at.x)}" y="${y}">${escaped(line)}</tspan>`;
  });
  const font = `font-family="${escaped(FONT_FAMILY)}" font-size="${n(mark.fontSize)}"`;
  return `<text ${font} fill="${colourOf(mark.paint, paper)}"${anchor} xml:space="preserve">${lines.join('')}</text>`;
}

/** For text and attributes. Characters that XML forbids become the replacement character. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
