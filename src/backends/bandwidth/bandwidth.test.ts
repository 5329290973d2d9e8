import { expect, test } from 'vitest';
import { FakeBandwidthClock, turnOfTheEventLoop } from '../../../tests/support/fake-bandwidth-clock.ts';
import { Bandwidth, Throttle } from './bandwidth.ts';
import { parseRateSchedule } from './rate-schedule.ts';

const KIB = 1024;

/** Sends so much, piece by piece. */
async function transfer(throttle: Throttle, sizeBytes: number, onPiece: (bytes: number) => void = () => undefined): Promise<void> {
  for (let left = sizeBytes; left > 0;) {
    const piece = Math.min(left, throttle.pieceBytes);
    await throttle.pass(piece);
    onPiece(piece);
    left -= piece;
  }
}

function throttled(rate: string, clock = new FakeBandwidthClock()): { readonly throttle: Throttle; readonly clock: FakeBandwidthClock } {
  return { throttle: new Throttle(parseRateSchedule(rate), clock), clock };
}

test('a transfer takes as long as its bytes need at the rate', async () => {
  const { throttle, clock } = throttled('100K');
  await clock.runUntil(transfer(throttle, 1000 * KIB));
  expect(Math.abs(clock.nowMs - 10_000)).toBeLessThan(200);
});

test('at no time has more passed than the rate allows, but for a tenth of a second and one piece', async () => {
  const { throttle, clock } = throttled('100K');
  let passed = 0;
  clock.nowMs = 60_000;
  await clock.runUntil(
    transfer(throttle, 500 * KIB, (bytes) => {
      passed += bytes;
      expect(passed).toBeLessThanOrEqual(((clock.nowMs - 60_000) / 1000 + 0.1) * 100 * KIB + 2 * throttle.pieceBytes);
    }),
  );
});

test('parallel transfers get equal shares, however many there are and whenever they began', async () => {
  const { throttle, clock } = throttled('1M');
  const passed = [0, 0, 0, 0];
  const running = passed.map((_, index) => transfer(throttle, 4096 * KIB, (bytes) => (passed[index] = (passed[index] ?? 0) + bytes)));
  await clock.runUntil(Promise.race(running));
  expect(Math.max(...passed) - Math.min(...passed)).toBeLessThanOrEqual(throttle.pieceBytes);
  await clock.runUntil(Promise.all(running));
  expect(Math.abs(clock.nowMs - 16_000)).toBeLessThan(200);
});

test('a piece larger than the rate passes at once, and the next one pays for it', async () => {
  const { throttle, clock } = throttled('100K');
  await throttle.pass(1000 * KIB);
  expect(clock.nowMs).toBe(0);
  await clock.runUntil(throttle.pass(1));
  expect(Math.abs(clock.nowMs - 10_000)).toBeLessThan(10);
});

test('who waits is freed at once when the limit is raised or taken away', async () => {
  for (const rate of ['unlimited', '1G']) {
    const { throttle, clock } = throttled('4K');
    await throttle.pass(1000 * KIB);
    const waiting = throttle.pass(1);
    await turnOfTheEventLoop();
    expect(clock.sleeperCount).toBe(1);
    throttle.schedule = parseRateSchedule(rate);
    await clock.runUntil(waiting);
    expect(clock.nowMs).toBeLessThan(20);
  }
});

test('the rate changes with the time of day, also during a transfer', async () => {
  const { throttle, clock } = throttled('08:00-18:00=100K,otherwise=1000K', new FakeBandwidthClock('2026-03-02T17:59:00'));
  await clock.runUntil(transfer(throttle, 60 * 100 * KIB + 60 * 1000 * KIB));
  expect(Math.abs(clock.nowMs - 120_000)).toBeLessThan(1000);
});

test('a transfer that is given up waits no more, and the others go on', async () => {
  const { throttle, clock } = throttled('4K');
  await throttle.pass(40 * KIB);
  const controller = new AbortController();
  const first = throttle.pass(1, controller.signal);
  const second = throttle.pass(1);
  await turnOfTheEventLoop();
  controller.abort('stop');
  await expect(first).rejects.toBe('stop');
  await clock.runUntil(second);
  expect(Math.abs(clock.nowMs - 10_000)).toBeLessThan(10);
});

test('without a limit nothing waits, and both directions are apart', async () => {
  const clock = new FakeBandwidthClock();
  const bandwidth = new Bandwidth({ upload: parseRateSchedule('4K') }, clock);
  await bandwidth.download.pass(KIB ** 3);
  await bandwidth.download.pass(KIB ** 3);
  expect(bandwidth.download.limited).toBe(false);
  bandwidth.set({ download: parseRateSchedule('8K') });
  expect([bandwidth.upload.limited, bandwidth.download.limited]).toEqual([true, true]);
  await bandwidth.download.pass(80 * KIB);
  await clock.runUntil(bandwidth.download.pass(1));
  expect(Math.abs(clock.nowMs - 10_000)).toBeLessThan(10);
});

test('time that nobody used is not saved up', async () => {
  const { throttle, clock } = throttled('100K');
  await transfer(throttle, KIB);
  clock.nowMs += 3_600_000;
  const start = clock.nowMs;
  await clock.runUntil(transfer(throttle, 500 * KIB));
  expect(clock.nowMs - start).toBeGreaterThan(4700);
});
