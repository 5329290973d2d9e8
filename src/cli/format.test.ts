import { expect, test } from 'vitest';
import { formatBytes, formatDuration } from './format.ts';

test('sizes are in the largest unit that leaves a whole part', () => {
  expect([0, 1023, 1024, 1536 * 1024, 2n ** 63n].map(formatBytes)).toEqual(['0 bytes', '1023 bytes', '1.00 KiB', '1.50 MiB', '8.00 EiB']);
});

test('durations are as precise as they are short', () => {
  expect([400, 59_400, 59_600, 125_000, 11_045_000].map(formatDuration)).toEqual(['0 s', '59 s', '1:00 min', '2:05 min', '3:04 h']);
});
