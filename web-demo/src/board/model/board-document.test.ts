import { describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { addRectangle, change, exchange, seen, testBoard } from './test-boards';

describe('people who change one shape at once', () => {
  test('of two moves one wins whole, and both see the same', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const id = addRectangle(ada);
    exchange(ada, ben);
    change(ada, id, { position: [10, 20] });
    change(ben, id, { position: [300, 400] });
    exchange(ada, ben);
    expect(seen(ada)).toEqual(seen(ben));
    expect([{ x: 10, y: 20 }, { x: 300, y: 400 }]).toContainEqual(ada.board.shape(id)?.position);
  });

  test('moving, turning, resizing and colouring all take effect', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const id = addRectangle(ada);
    exchange(ada, ben);
    change(ada, id, { position: [10, 20], colour: 'red' });
    change(ben, id, { rotation: 45, size: [7, 8] });
    exchange(ada, ben);
    expect(ben.board.shape(id)).toMatchObject({ position: { x: 10, y: 20 }, rotation: 45, look: { colour: 'red', size: { width: 7, height: 8 } } });
    expect(seen(ada)).toEqual(seen(ben));
  });

  test('deleting wins over moving', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const id = addRectangle(ada);
    exchange(ada, ben);
    ada.board.edit((gesture) => gesture.remove([id]));
    change(ben, id, { position: [5, 5] });
    exchange(ada, ben);
    expect([ada.board.size, ben.board.size]).toEqual([0, 0]);
  });

  test('both keep their words in one text', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const id = addRectangle(ada);
    exchange(ada, ben);
    ada.board.editText(() => ada.board.textOf(id)?.insert(0, 'Ada'));
    ben.board.editText(() => ben.board.textOf(id)?.insert(0, 'Ben'));
    exchange(ada, ben);
    expect(ada.board.textOf(id)?.toString()).toMatch(/^(AdaBen|BenAda)$/);
    expect(seen(ada)).toEqual(seen(ben));
  });

  test('after any mix of changes, and however late they hear of each other, all see the same', () => {
    const random = seeded(20261124);
    const boards = [testBoard(1), testBoard(2), testBoard(3)];
    for (let step = 0; step < 1500; step += 1) {
      const one = boards[random(3)] ?? testBoard(9);
      const shape = one.board.stack[random(one.board.size)];
      const place = [random(1000), random(1000)] as const;
      const action = random(12);
      if (shape === undefined || action < 3) addRectangle(one, ...place);
      else if (action === 3) one.board.edit((gesture) => gesture.remove([shape.id]));
      else if (action === 4) one.board.restack(new Set([shape.id]), (['front', 'back', 'forward', 'backward'] as const)[random(4)] ?? 'front');
      else if (action === 5) one.board.undo();
      else if (action === 6) one.board.redo();
      else if (action === 7) one.board.editText(() => one.board.textOf(shape.id)?.insert(0, 'x'));
      else change(one, shape.id, { position: place, rotation: random(360) });
      if (random(10) === 0) exchange(one, boards[random(3)] ?? one);
    }
    exchange(...boards);
    exchange(...boards);
    const [first, ...others] = boards.map(seen);
    expect(first?.length).toBeGreaterThan(50);
    for (const other of others) expect(other).toEqual(first);
  });
});

describe('undo', () => {
  test('takes back a whole gesture, and only what was done here', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const [first, second] = [addRectangle(ada), addRectangle(ben)];
    exchange(ada, ben);
    const drag = ada.board.begin();
    for (let x = 1; x <= 30; x += 1) drag.set(first, { position: [x, 0] });
    drag.end();
    change(ben, second, { position: [9, 9] });
    exchange(ada, ben);
    ada.board.undo();
    expect(ada.board.shape(first)?.position).toEqual({ x: 0, y: 0 });
    expect(ada.board.shape(second)?.position).toEqual({ x: 9, y: 9 });
    ada.board.undo();
    expect(ada.board.shape(first)).toBeUndefined();
    ada.board.undo();
    expect(ada.board.shape(second)).toBeDefined();
    ada.board.redo();
    ada.board.redo();
    expect(ada.board.shape(first)?.position).toEqual({ x: 30, y: 0 });
  });

  test('brings a deleted shape back with its text and its points', () => {
    const ada = testBoard(1);
    let stroke = '';
    ada.board.edit((gesture) => {
      stroke = gesture.create({ fields: { type: 'pen', position: [0, 0] }, points: [0, 0, 50, 100, 100, 50] });
    });
    const id = addRectangle(ada);
    ada.board.edit(() => ada.board.editText(() => ada.board.textOf(id)?.insert(0, 'kept')));
    const before = seen(ada);
    ada.board.edit((gesture) => gesture.remove([id, stroke]));
    expect(ada.board.size).toBe(0);
    ada.board.undo();
    expect(seen(ada)).toEqual(before);
  });

  test('a gesture that is cancelled leaves neither change nor step', () => {
    const ada = testBoard(1);
    const id = addRectangle(ada);
    const steps = ada.board.undoManager.undoStack.length;
    const drag = ada.board.begin();
    drag.create({ fields: { type: 'note', position: [1, 1] }, text: '' });
    drag.set(id, { position: [50, 50] });
    drag.cancel();
    expect(ada.board.size).toBe(1);
    expect(ada.board.shape(id)?.position).toEqual({ x: 0, y: 0 });
    expect([ada.board.undoManager.undoStack.length, ada.board.undoManager.redoStack.length]).toEqual([steps, 0]);
  });
});

describe('a gesture', () => {
  test('shows at once and is written a few times a second, with the newest place at its end', () => {
    vi.useFakeTimers();
    const ada = testBoard(1);
    const id = addRectangle(ada);
    let updates = 0;
    ada.doc.on('update', () => (updates += 1));
    const drag = ada.board.begin();
    for (let ms = 0; ms < 1000; ms += 10) {
      drag.set(id, { position: [ms, 0] });
      expect(ada.board.shape(id)?.position.x).toBe(ms);
      vi.advanceTimersByTime(10);
    }
    drag.end();
    expect(updates).toBeLessThanOrEqual(26);
    expect(updates).toBeGreaterThan(15);
    expect((ada.doc.getMap('board').get(id) as Y.Map<unknown>).get('position')).toEqual([990, 0]);
    vi.useRealTimers();
  });

  test('appends to a stroke and never writes a point twice', () => {
    vi.useFakeTimers();
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const stroke = ada.board.begin();
    const id = stroke.create({ fields: { type: 'pen', position: [0, 0] }, points: [0, 0, 50] });
    const written: number[] = [0, 0, 50];
    for (let at = 1; at <= 100; at += 1) {
      stroke.append(id, [at * 10, at, 50]);
      written.push(at * 10, at, 50);
      vi.advanceTimersByTime(7);
    }
    stroke.end();
    exchange(ada, ben);
    expect(ben.board.shape(id)?.look).toMatchObject({ points: written });
    vi.useRealTimers();
  });

  test('a shape keeps its look while it only moves', () => {
    const ada = testBoard(1);
    const id = addRectangle(ada);
    const before = ada.board.shape(id);
    change(ada, id, { position: [3, 4] });
    expect(ada.board.shape(id)).not.toBe(before);
    expect(ada.board.shape(id)?.look).toBe(before?.look);
  });

  test('of a shape that somebody deleted meanwhile ends without harm', () => {
    const [ada, ben] = [testBoard(1), testBoard(2)];
    const id = addRectangle(ada);
    exchange(ada, ben);
    const drag = ada.board.begin();
    drag.set(id, { position: [1, 1] });
    ben.board.edit((gesture) => gesture.remove([id]));
    exchange(ada, ben);
    drag.set(id, { position: [2, 2] });
    drag.end();
    exchange(ada, ben);
    expect([ada.board.size, ben.board.size]).toEqual([0, 0]);
  });
});

/** Whole numbers below `most`, the same at every run. */
function seeded(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 48_271) % 2_147_483_647;
    return most === 0 ? 0 : state % most;
  };
}
