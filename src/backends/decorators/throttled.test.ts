import { expect, test } from 'vitest';
import { FakeBandwidthClock } from '../../../tests/support/fake-bandwidth-clock.ts';
import { Bandwidth } from '../bandwidth/bandwidth.ts';
import { parseRateSchedule } from '../bandwidth/rate-schedule.ts';
import { MemoryBackend } from '../memory-backend.ts';
import { ThrottledBackend } from './throttled.ts';

const KIB = 1024;

test('payloads in both directions keep to their own limits', async () => {
  const clock = new FakeBandwidthClock();
  const limits = { upload: parseRateSchedule('100K'), download: parseRateSchedule('200K') };
  const store = new ThrottledBackend(new MemoryBackend(), new Bandwidth(limits, clock));
  const objects = Array.from({ length: 11 }, (_, index) => `${index}`);
  await clock.runUntil(Promise.all(objects.map((key) => store.store(key, {}, [Buffer.alloc(60 * KIB), Buffer.alloc(40 * KIB)]))));
  expect(Math.abs(clock.nowMs - 10_000)).toBeLessThan(200);
  const storedMs = clock.nowMs;
  await clock.runUntil(Promise.all(objects.map((key) => store.fetch(key))));
  expect(Math.abs(clock.nowMs - storedMs - 5000)).toBeLessThan(200);
});
