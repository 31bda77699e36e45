import { expect, test } from 'vitest';
import { isPermanentClose, reconnectCause, refusalCause } from './connection-state';

test('4400 to 4499 are final, nothing else is', () => {
  expect([4399, 4400, 4404, 4499, 4500, 1006, 1013].filter(isPermanentClose)).toEqual([4400, 4404, 4499]);
});

test('a transient close names its cause where it has one', () => {
  expect([1001, 1012, 4503, 1013, 4500, 1006, 4504, undefined].map(reconnectCause)).toEqual([
    'restarting', 'restarting', 'restarting', 'full', 'failed', 'lost', 'lost', 'lost',
  ]);
});

test('a refused connection means full only when the server says twice that it is ready', () => {
  expect(refusalCause('ready', 1, 'lost')).toBe('lost');
  expect(refusalCause('ready', 2, 'lost')).toBe('full');
  expect(refusalCause('not-ready', 0, 'lost')).toBe('restarting');
  expect(refusalCause('unreachable', 0, 'restarting')).toBe('restarting');
  expect(refusalCause('unreachable', 0, 'full')).toBe('lost');
});
