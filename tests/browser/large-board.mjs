/** A board of many shapes of all kinds, as one Yjs update. */

import * as Y from 'yjs';

/** Shapes lie on a field of 2000 × 1300 units; the first `movable` of them are rectangles in its left upper corner. */
export function largeBoard({ shapes, movable }) {
  const doc = new Y.Doc();
  const board = doc.getMap('board');
  let state = 7;
  const random = (most) => {
    state = (state * 48271) % 2147483647;
    return state % most;
  };
  doc.transact(() => {
    for (let at = 0; at < shapes; at += 1) {
      const type = at < movable ? 'rectangle' : TYPES[at % TYPES.length];
      const shape = new Y.Map();
      board.set(`shape${at}`, shape);
      shape.set('type', type);
      shape.set('position', at < movable ? [(at % 10) * 60, Math.floor(at / 10) * 60] : [700 + random(1300), random(1300)]);
      shape.set('order', `a${String(at).padStart(5, '0')}`);
      shape.set('colour', COLOURS[at % COLOURS.length]);
      for (const [name, value] of Object.entries(FIELDS[type](random, at))) shape.set(name, value);
    }
  });
  return Y.encodeStateAsUpdate(doc);
}

const TYPES = ['rectangle', 'ellipse', 'pen', 'arrow', 'note', 'text'];
const COLOURS = ['ink', 'grey', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'pink'];
const box = (random, at) => ({
  size: [40 + random(15), 40 + random(15)],
  fill: ['none', 'tint', 'solid'][at % 3],
  text: new Y.Text(at % 4 === 0 ? 'Label' : ''),
});
const FIELDS = {
  rectangle: box,
  ellipse: box,
  note: (random, at) => ({ size: [90, 90], text: new Y.Text(`Note ${at} with some words`) }),
  text: (random, at) => ({ text: new Y.Text(`Text ${at}`), fontSize: 16 }),
  arrow: (random) => ({ size: [random(120) - 60, random(120) - 60] }),
  pen: (random) => {
    const points = [];
    for (let at = 0, x = 0, y = 0; at < 40; at += 1) {
      x += random(60) - 20;
      y += random(60) - 30;
      points.push(x, y, 20 + random(70));
    }
    return { points: Y.Array.from(points) };
  },
};
