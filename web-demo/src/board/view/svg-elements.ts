/** Builds SVG elements of the overlay. */

import type { Point } from '../model/geometry';

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Node[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function pathElement(className: string): SVGPathElement {
  return svg('path', { class: className, d: '' });
}

/** Points as path data after a move command; tenths of a pixel are enough. */
export function points(all: readonly Point[]): string {
  return all.map(({ x, y }) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`).join('L');
}
