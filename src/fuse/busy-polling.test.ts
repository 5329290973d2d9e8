import { expect, test } from 'vitest';
import { BusyPolling } from './busy-polling.ts';

/** Serves `count` requests that each come `gapMs` after the last answer; returns how many were awaited awake. */
function serve(polling: BusyPolling, count: number, gapMs: number, startMs: number = 0): number {
  let awake = 0;
  let nowMs = startMs;
  for (let index = 0; index < count; index += 1) {
    nowMs += gapMs;
    if (polling.isAwake(nowMs)) awake += 1;
    polling.woken(nowMs);
    polling.served(nowMs);
  }
  return awake;
}

test('requests that follow slowly but steadily are awaited awake', () => {
  expect(serve(new BusyPolling(), 100, 0.08)).toBeGreaterThan(90);
});

test('where waking is cheap the thread sleeps', () => {
  expect(serve(new BusyPolling(), 100, 0.01)).toBe(0);
});

test('an idle mount is never awaited awake', () => {
  expect(serve(new BusyPolling(), 100, 50)).toBe(0);
});

test('staying awake for nothing is given up after a few times', () => {
  const polling = new BusyPolling();
  serve(polling, 20, 0.08);
  let inVain = 0;
  for (let nowMs = 10; nowMs < 1000; nowMs += 10) {
    polling.woken(nowMs);
    polling.served(nowMs);
    if (polling.isAwake(nowMs + 0.05)) inVain += 1;
    expect(polling.isAwake(nowMs + 5)).toBe(false);
  }
  expect(inVain).toBeGreaterThan(0);
  expect(inVain).toBeLessThan(20);
});
