/** The outline of a pen stroke, whose width follows the pressure. */

import { getStroke } from 'perfect-freehand';
import { penPoints, type PenLook } from '../model/shape';
import { n } from './drawing';

/** SVG path data of the filled outline; the options are those of docs/whiteboard-schema.md. */
export function penOutline(look: PenLook): string {
  const points = [...penPoints(look)];
  // A mouse has no pressure: the pace of the hand gives the line some life.
  const simulatePressure = points.every(({ pressure }) => pressure === 0.5);
  const outline = getStroke(points, { size: look.stroke, thinning: 0.6, smoothing: 0.5, streamline: 0.4, simulatePressure, last: true });
  return smoothPath(outline as readonly (readonly [number, number])[]);
}

/** A closed curve through the middles between neighbouring points, which makes their corners round. */
function smoothPath(points: readonly (readonly [number, number])[]): string {
  const [first] = points;
  if (first === undefined) return '';
  let path = `M${n(first[0])} ${n(first[1])}Q`;
  points.forEach(([x, y], index) => {
    const [nextX, nextY] = points[(index + 1) % points.length] ?? first;
    path += `${n(x)} ${n(y)} ${n((x + nextX) / 2)} ${n((y + nextY) / 2)} `;
  });
  return `${path.trimEnd()}Z`;
}
