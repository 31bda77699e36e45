import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Throttle } from './throttle';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

test('the first request is carried out at once, those within the interval together at its end', () => {
  let calls = 0;
  const throttle = new Throttle(40, () => (calls += 1));
  throttle.request();
  expect(calls).toBe(1);
  for (let at = 0; at < 30; at += 10) {
    vi.advanceTimersByTime(10);
    throttle.request();
  }
  expect(calls).toBe(1);
  vi.advanceTimersByTime(10);
  expect(calls).toBe(2);
  vi.advanceTimersByTime(1000);
  expect(calls).toBe(2);
});

test('without waiting means that nothing is left to do', () => {
  let calls = 0;
  const throttle = new Throttle(40, () => (calls += 1));
  throttle.request();
  throttle.request();
  throttle.now();
  vi.advanceTimersByTime(1000);
  expect(calls).toBe(2);
});
