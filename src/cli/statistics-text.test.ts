import { expect, test } from 'vitest';
import { StoreMetrics } from '../backends/store-metrics.ts';
import type { MountStatistics } from './control-file.ts';
import { statisticsJson, statisticsText } from './statistics-text.ts';

const FIGURES: MountStatistics = {
  entryCount: 20135n,
  objectCount: 9283n,
  inodeCount: 20137n,
  totalSizeBytes: 2277295718n,
  deduplicatedSizeBytes: 1778752225n,
  storedSizeBytes: 1275309588n,
  databaseSizeBytes: 3995074n,
  cacheEntryCount: 12n,
  cacheSizeBytes: 3145728n,
  dirtyEntryCount: 2n,
  dirtySizeBytes: 1025n,
  pendingRemovalCount: 0n,
};

test('figures are printed line by line as S3QL does', () => {
  expect(statisticsText(FIGURES, false)).toBe(
    [
      'Directory entries:    20135',
      'Inodes:               20137',
      'Data objects:         9283',
      'Total data size:      2.12 GiB',
      'After de-duplication: 1.66 GiB (78.11% of total)',
      'After compression:    1.19 GiB (56.00% of total, 71.70% of de-duplicated)',
      'Database size:        3.81 MiB (uncompressed)',
      'Cache size:           3.00 MiB, 12 entries',
      'Cache size (dirty):   1.00 KiB, 2 entries',
      'Queued object removals: 0',
      '',
    ].join('\n'),
  );
});

test('--raw prints sizes in bytes, and an empty file system divides by nothing', () => {
  const text = statisticsText({ ...FIGURES, totalSizeBytes: 0n, deduplicatedSizeBytes: 0n, storedSizeBytes: 0n }, true);
  expect(text).toContain('Database size:        3995074 bytes (uncompressed)\n');
  expect(text).toContain('After compression:    0 bytes (0.00% of total, 0.00% of de-duplicated)\n');
});

test('JSON has numbers, and text for what numbers cannot hold', () => {
  const store = new StoreMetrics();
  store.add('fetch', { count: 2, payloadBytes: 10 });
  expect(JSON.parse(statisticsJson({ ...FIGURES, totalSizeBytes: 2n ** 64n - 1n }, store.snapshot()))).toMatchObject({
    entryCount: 20135,
    totalSizeBytes: '18446744073709551615',
    store: { retries: 0, operations: { fetch: { count: 2, payloadBytes: 10 }, store: { count: 0 } } },
  });
});
