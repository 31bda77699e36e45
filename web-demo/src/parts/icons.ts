/** Icons as elements; they only ever stand beside a label or in a labelled button. */

import { createElement, type IconNode } from 'lucide';

export function icon(node: IconNode, size = 20): SVGElement {
  return createElement(node, { width: size, height: size, 'stroke-width': 1.9, 'aria-hidden': 'true', focusable: 'false' });
}
