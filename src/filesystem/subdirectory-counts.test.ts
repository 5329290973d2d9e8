import { expect, test } from 'vitest';
import type { InodeId } from '../metadata/types.ts';
import { SubdirectoryCounts } from './subdirectory-counts.ts';

const DIRECTORY = 10 as InodeId;

/** A directory of `total` entries, all directories, whose number can change under way. */
function directory(total: { entries: number }, onSlice: () => void = () => undefined): SubdirectoryCounts {
  return new SubdirectoryCounts({
    countDirectories: (_parent, afterCookie, limit) => {
      onSlice();
      const end = Math.min(total.entries, afterCookie + limit);
      return { count: end - afterCookie, nextCookie: end < total.entries ? end : undefined };
    },
  });
}

test('a directory of ordinary size is counted at once and then kept up to date', () => {
  let slices = 0;
  const counts = directory({ entries: 5 }, () => {
    slices += 1;
  });
  expect(counts.get(DIRECTORY)).toBe(5);
  counts.adjust(DIRECTORY, 1);
  counts.adjust(DIRECTORY, -2);
  expect(counts.get(DIRECTORY)).toBe(4);
  expect(slices).toBe(1);
});

test('a huge directory is counted in slices, shared by all who ask', async () => {
  const counts = directory({ entries: 50_000 });
  const first = counts.get(DIRECTORY);
  expect(first).toBeInstanceOf(Promise);
  expect(await Promise.all([first, counts.get(DIRECTORY)])).toEqual([50_000, 50_000]);
  expect(counts.get(DIRECTORY)).toBe(50_000);
});

test('a change while counting starts the count again', async () => {
  const total = { entries: 20_000 };
  const counts = directory(total);
  const counted = counts.get(DIRECTORY);
  total.entries += 1;
  counts.adjust(DIRECTORY, 1);
  expect(await counted).toBe(20_001);
});
