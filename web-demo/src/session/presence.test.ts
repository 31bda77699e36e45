import { expect, test } from 'vitest';
import { companionsIn } from './presence';

test('who stands beside somebody who is there is no further person', () => {
  const states = new Map<number, unknown>([
    [1, { user: { name: 'Ada' } }],
    [2, { user: { name: 'Ada' }, beside: 1 }],
    [3, { user: { name: 'Ben' }, beside: 9 }],
    [4, null],
    [5, { beside: 'x' }],
    [6, { beside: 6 }],
  ]);
  expect([...companionsIn(states)]).toEqual([[2, 1]]);
});

test('nobody vanishes by standing beside each other', () => {
  const states = new Map<number, unknown>([
    [1, { beside: 2 }],
    [2, { beside: 1 }],
  ]);
  expect([...companionsIn(states)]).toEqual([]);
});
