import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { drawingOf } from '../drawing/drawing';
import { writeSvg } from '../drawing/svg-writer';
import { readShape } from './reading';
import { testBoard } from './test-boards';

const measure = (): { width: number; height: number } => ({ width: 10, height: 10 });
const options = { measure, before: undefined, samePoints: false };
const fonts = { width: (text: string, fontSize: number): number => text.length * fontSize * 0.5, baseline: (fontSize: number): number => fontSize };

describe('reading a shape', () => {
  test('takes defaults for what is missing or unfit', () => {
    const fields = new Map<string, unknown>([['type', 'ellipse'], ['position', [1, 2]], ['size', [30, 40]], ['colour', 'beige'], ['stroke', 'wide'], ['fill', 7], ['rotation', NaN]]);
    expect(readShape('a', fields, options)).toEqual({
      id: 'a',
      order: 'a0',
      position: { x: 1, y: 2 },
      rotation: 0,
      look: { type: 'ellipse', colour: 'ink', size: { width: 30, height: 40 }, fill: 'none', dash: 'solid', stroke: 3, text: '', fontSize: 20 },
    });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ type: 'rectangle', size: [1, 1] }, 'no position'],
    [{ type: 'rectangle', position: [1, '2'], size: [1, 1] }, 'a position that is no number'],
    [{ type: 'rectangle', position: [Infinity, 0], size: [1, 1] }, 'a position that is not finite'],
    [{ type: 'rectangle', position: [2e6, 0], size: [1, 1] }, 'a position too far away'],
    [{ type: 'rectangle', position: [0, 0] }, 'no size'],
    [{ type: 'rectangle', position: [0, 0], size: [-5, 5] }, 'a negative size'],
    [{ type: 'pen', position: [0, 0], points: 'none' }, 'points of another kind'],
    [{ type: 'image', position: [0, 0], size: [5, 5], mediaType: 'image/svg+xml', bytes: new Uint8Array(3) }, 'a kind of image that may hold scripts'],
    [{ type: 'image', position: [0, 0], size: [5, 5], mediaType: 'image/png', bytes: 'x' }, 'bytes that are none'],
    [{ type: 'hexagon', position: [0, 0], size: [5, 5] }, 'an unknown type'],
  ])('leaves out %o: %s', (fields) => {
    expect(readShape('a', new Map(Object.entries(fields)), options)).toBeUndefined();
  });

  test('whatever a client writes neither throws nor breaks a drawing', () => {
    const ada = testBoard(1);
    const root = ada.doc.getMap<unknown>('board');
    const names = ['type', 'position', 'size', 'scale', 'rotation', 'order', 'colour', 'fill', 'stroke', 'dash', 'text', 'fontSize', 'points', 'bytes', 'mediaType', 'alt'];
    const types = ['pen', 'rectangle', 'ellipse', 'line', 'arrow', 'text', 'note', 'image'];
    let state = 7;
    const random = (most: number): number => (state = (state * 48_271) % 2_147_483_647) % most;
    const pick = <Value>(values: readonly Value[]): Value => values[random(values.length)] as Value;
    for (let run = 0; run < 4000; run += 1) {
      const map = new Y.Map<unknown>();
      root.set(`s${run % 50}`, random(20) === 0 ? pick(HOSTILE)() : map);
      if (map.doc === null) continue;
      for (const name of names) {
        const honest = { type: pick(types), position: [random(100), random(100)], size: [50, 50] }[name];
        map.set(name, honest !== undefined && random(5) > 0 ? honest : pick(HOSTILE)());
      }
    }
    expect(ada.board.size).toBeGreaterThan(5);
    for (const { look } of ada.board.stack) for (const mark of drawingOf(look, fonts).marks) if (mark.kind === 'path') expect(mark.path).not.toMatch(/NaN|Infinity|undefined/);
    const svg = writeSvg(ada.board.stack, { fonts, paper: 'light', view: { x: 0, y: 0, width: 10, height: 10 } });
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
  });
});

const HOSTILE: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => NaN,
  () => -1e308,
  () => 0,
  () => '',
  () => '<script>alert(1)</script>',
  () => '"><image href="x" onerror="1"/>',
  () => 'x'.repeat(10_000),
  () => [],
  () => [[], []],
  () => [NaN, NaN],
  () => [1e300, 1],
  () => [0, 0],
  () => ({ x: 1 }),
  () => true,
  () => new Uint8Array(5),
  () => new Y.Text('<b>&"\u0000\ud800'),
  () => Y.Array.from([1, 2, 3, 4, 5]),
  () => Y.Array.from<string | object | null>(['a', null, {}]),
  () => Y.Array.from([1e9, 1e300, 3]),
  () => new Y.Map([['a', 1]]),
  () => new Y.XmlElement('p'),
];
