/** Small pictures of style values. */

import { element } from '../../dom';
import type { ColourName } from '../model/palette';
import type { Dash, Fill } from '../model/shape';
import { STROKES } from '../style';
import { svg } from '../view/svg-elements';

export function colourSample(name: ColourName): Element {
  const dot = element('span', { class: 'sample-colour' });
  dot.style.backgroundColor = `var(--colour-${name})`;
  return dot;
}

export function fillSample(fill: Fill): Element {
  const square = svg('rect', { x: '4', y: '4', width: '14', height: '14', rx: '3', stroke: 'currentColor', 'stroke-width': '2' });
  square.setAttribute('fill', fill === 'none' ? 'none' : 'currentColor');
  if (fill === 'tint') square.setAttribute('fill-opacity', '0.25');
  return picture(square);
}

export function strokeSample(stroke: number): Element {
  const width = [1.5, 2.5, 4, 7][STROKES.findIndex((each) => each === stroke)] ?? 2.5;
  return picture(svg('path', { d: 'M4 11H18', stroke: 'currentColor', 'stroke-width': String(width), 'stroke-linecap': 'round' }));
}

export function dashSample(dash: Dash): Element {
  const pattern = { solid: 'none', dashed: '5 3.5', dotted: '0.1 4' }[dash];
  const line = { d: 'M3 11H19', stroke: 'currentColor', 'stroke-width': '2.4', 'stroke-linecap': 'round', 'stroke-dasharray': pattern };
  return picture(svg('path', line));
}

export function fontSample(fontSize: number): Element {
  return element('span', { class: 'sample-font' }, { 14: 'S', 20: 'M', 32: 'L', 56: 'XL' }[fontSize] ?? String(Math.round(fontSize)));
}

function picture(content: SVGElement): Element {
  return svg('svg', { width: '22', height: '22', viewBox: '0 0 22 22', fill: 'none', 'aria-hidden': 'true' }, content);
}
