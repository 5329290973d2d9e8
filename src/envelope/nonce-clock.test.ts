import { expect, test } from 'vitest';
import { NonceClock } from './nonce-clock.ts';

test('times never repeat, even if the clock stands still or goes back', () => {
  const readings = [1795360208.5, 1795360208.5, 1795360100, 1795360208.5, 1795360209];
  const clock = new NonceClock(() => readings.shift() ?? 0);
  const times = Array.from({ length: 6 }, () => clock.next());
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect(new Set(times).size).toBe(6);
  expect(times[4]).toBe(1795360209);
});

test('the time is the wall clock’s, in seconds', () => {
  expect(Math.abs(new NonceClock().next() - Date.now() / 1000)).toBeLessThan(3600);
});
