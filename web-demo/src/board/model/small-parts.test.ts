import { describe, expect, test } from 'vitest';
import { brokenLines, fittedText } from '../drawing/line-breaking';
import { boundsOfFrame, middle, rotate } from './geometry';
import { frameInGroup, resized, turned } from './resizing';
import { allLines, snap } from './snapping';
import { orderOnTop, restacked } from './stacking';
import type { Shape } from './shape';
import { replacedPart } from './text-difference';

const fonts = { width: (text: string, fontSize: number): number => [...text].length * fontSize * 0.5, baseline: (fontSize: number): number => fontSize };
const still = { keepShape: false, fromMiddle: false };

describe('resizing', () => {
  test('the opposite corner stays, also of a turned frame', () => {
    for (const rotation of [0, 30, 135, 270]) {
      const frame = { x: 10, y: 20, width: 100, height: 60, rotation };
      const opposite = (of: typeof frame): { x: number; y: number } => rotate({ x: of.x, y: of.y }, middle(of), rotation);
      const after = resized(frame, { x: 1, y: 1 }, { x: 400, y: 300 }, still);
      expect(opposite(after).x).toBeCloseTo(opposite(frame).x);
      expect(opposite(after).y).toBeCloseTo(opposite(frame).y);
    }
  });

  test('the handle goes where the pointer is', () => {
    const after = resized({ x: 0, y: 0, width: 10, height: 10, rotation: 0 }, { x: 1, y: 1 }, { x: 55, y: 33 }, still);
    expect(after).toEqual({ x: 0, y: 0, width: 55, height: 33, rotation: 0 });
  });

  test('proportions and middle are kept where asked', () => {
    const frame = { x: 0, y: 0, width: 100, height: 50, rotation: 0 };
    const kept = resized(frame, { x: 1, y: 1 }, { x: 200, y: 10 }, { keepShape: true, fromMiddle: false });
    expect(kept.width / kept.height).toBeCloseTo(2);
    const around = resized(frame, { x: 1, y: 0 }, { x: 90, y: 0 }, { keepShape: false, fromMiddle: true });
    expect([middle(around), around.width]).toEqual([middle(frame), 80]);
  });

  test('never becomes nothing, nor turns inside out', () => {
    const after = resized({ x: 0, y: 0, width: 100, height: 50, rotation: 0 }, { x: 1, y: 1 }, { x: -500, y: -500 }, still);
    expect([after.width > 0, after.height > 0]).toEqual([true, true]);
  });

  test('a group keeps its arrangement', () => {
    const before = { x: 0, y: 0, width: 100, height: 100, rotation: 0 };
    const after = { x: 10, y: 10, width: 200, height: 200, rotation: 0 };
    expect(frameInGroup({ x: 50, y: 0, width: 50, height: 20, rotation: 0 }, before, after)).toEqual({ x: 110, y: 10, width: 100, height: 40, rotation: 0 });
  });

  test('a full turn changes nothing', () => {
    let frame = { x: 3, y: 4, width: 50, height: 20, rotation: 0 };
    for (let step = 0; step < 24; step += 1) frame = turned(frame, { x: 100, y: 100 }, 15);
    expect(frame.x).toBeCloseTo(3);
    expect(frame.y).toBeCloseTo(4);
    expect(frame.rotation % 360).toBeCloseTo(0);
    expect(boundsOfFrame({ ...frame, rotation: 0 })).toMatchObject({ width: 50, height: 20 });
  });
});

describe('snapping', () => {
  const other = { x: 100, y: 100, width: 50, height: 50 };

  test('goes the shortest way to an edge or a middle, and shows where', () => {
    const box = { x: 146, y: 300, width: 20, height: 20 };
    const { by, guides } = snap(box, allLines(box), [other], 6);
    expect(by).toEqual({ x: 4, y: 0 });
    expect(guides).toEqual([{ from: { x: 150, y: 100 }, to: { x: 150, y: 320 } }]);
  });

  test('leaves alone what is farther away', () => {
    const box = { x: 160, y: 300, width: 20, height: 20 };
    expect(snap(box, allLines(box), [other], 6)).toEqual({ by: { x: 0, y: 0 }, guides: [] });
  });
});

describe('the stack', () => {
  const stack = (...orders: readonly string[]): Shape[] =>
    orders.map((order, at) => ({ id: `s${at}`, order, position: { x: 0, y: 0 }, rotation: 0, look: { type: 'note', colour: 'ink', size: { width: 1, height: 1 }, text: '', fontSize: 20 } }));
  const after = (shapes: readonly Shape[], ids: readonly string[], move: Parameters<typeof restacked>[2]): readonly string[] => {
    const orders = restacked(shapes, new Set(ids), move);
    const order = (shape: Shape): string => orders.get(shape.id) ?? shape.order;
    return shapes.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).map(({ id }) => id);
  };

  test.each([
    ['front', ['s1', 's2', 's3', 's0']],
    ['forward', ['s1', 's0', 's2', 's3']],
    ['backward', ['s0', 's1', 's2', 's3']],
    ['back', ['s0', 's1', 's2', 's3']],
  ] as const)('moves the lowest %s', (move, expected) => {
    expect(after(stack('a0', 'a1', 'a2', 'a3'), ['s0'], move)).toEqual(expected);
  });

  test('moves several together', () => {
    expect(after(stack('a0', 'a1', 'a2', 'a3'), ['s0', 's2'], 'front')).toEqual(['s1', 's3', 's0', 's2']);
    expect(after(stack('a0', 'a1', 'a2', 'a3'), ['s1', 's3'], 'backward')).toEqual(['s1', 's3', 's0', 's2']);
  });

  test('finds room where others left none', () => {
    expect(after(stack('same', 'same', 'same'), ['s0'], 'forward')).toEqual(['s1', 's0', 's2']);
    expect(after(stack('!', '~', '~~'), ['s2'], 'back')).toEqual(['s2', 's0', 's1']);
    expect(orderOnTop(stack('~')) > '~').toBe(true);
  });
});

describe('the difference of two texts', () => {
  test('applied to the old text gives the new one, wherever the cursor is', () => {
    let state = 11;
    const random = (most: number): number => (state = (state * 48_271) % 2_147_483_647) % most;
    const word = (): string => Array.from({ length: random(6) }, () => ['a', 'b', '🦦', '\n'][random(4)]).join('');
    for (let run = 0; run < 5000; run += 1) {
      const [head, tail] = [word(), word()];
      const [before, after] = [head + word() + tail, head + word() + tail];
      const change = replacedPart(before, after, random(after.length + 1));
      const applied = change === undefined ? before : before.slice(0, change.at) + change.inserted + before.slice(change.at + change.removed);
      expect(applied).toBe(after);
      if (change !== undefined) expect(change.inserted.isWellFormed()).toBe(true);
    }
  });

  test('of a doubled letter is the one before the cursor', () => {
    expect(replacedPart('oo', 'ooo', 1)).toEqual({ at: 0, removed: 0, inserted: 'o' });
    expect(replacedPart('oo', 'ooo', 3)).toEqual({ at: 2, removed: 0, inserted: 'o' });
  });
});

describe('line breaking', () => {
  test('breaks at spaces, keeps line feeds, and cuts only words wider than a line', () => {
    expect(brokenLines('one two three', 40, 10, fonts)).toEqual(['one two', 'three']);
    expect(brokenLines('a\n\nb', 40, 10, fonts)).toEqual(['a', '', 'b']);
    expect(brokenLines('abcdefghijkl xy', 25, 10, fonts)).toEqual(['abcde', 'fghij', 'kl xy']);
  });

  test('no letter is lost and no line is too wide', () => {
    let state = 3;
    const random = (most: number): number => (state = (state * 48_271) % 2_147_483_647) % most;
    for (let run = 0; run < 500; run += 1) {
      const text = Array.from({ length: random(60) }, () => 'ab c  d\n'[random(8)]).join('');
      const lines = brokenLines(text, 30, 10, fonts);
      expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      for (const line of lines) expect(fonts.width(line, 10)).toBeLessThanOrEqual(30);
    }
  });

  test('a note’s text shrinks until it fits, but stays readable', () => {
    expect(fittedText('short', { width: 100, height: 100 }, 20, fonts).fontSize).toBe(20);
    const fitted = fittedText('word '.repeat(40), { width: 176, height: 176 }, 20, fonts);
    expect(fitted.fontSize).toBeLessThan(20);
    expect(fitted.lines.length * fitted.fontSize * 1.3).toBeLessThanOrEqual(176);
    expect(fittedText('word '.repeat(4000), { width: 176, height: 176 }, 20, fonts).fontSize).toBe(10);
  });
});
