/** The figures of a mount as s3qlstat prints them: S3QL's lines first (reference: S3QL behaviour 1.1). */
import type { StoreMetricsSnapshot } from '../backends/store-metrics.ts';
import type { MountState, MountStatistics } from './control-file.ts';
import { exactNumbers } from '../util/exact-number.ts';
import { formatBytes } from './format.ts';

const LABEL_WIDTH = 21;

/** `raw`: sizes in bytes. */
export function statisticsText(figures: MountStatistics, raw: boolean): string {
  const size = (bytes: bigint): string => (raw ? `${bytes} bytes` : formatBytes(bytes));
  const { totalSizeBytes, deduplicatedSizeBytes, storedSizeBytes } = figures;
  const lines: readonly (readonly [string, string])[] = [
    ['Directory entries', String(figures.entryCount)],
    ['Inodes', String(figures.inodeCount)],
    ['Data objects', String(figures.objectCount)],
    ['Total data size', size(totalSizeBytes)],
    ['After de-duplication', `${size(deduplicatedSizeBytes)} (${percent(deduplicatedSizeBytes, totalSizeBytes)} of total)`],
    [
      'After compression',
      `${size(storedSizeBytes)} (${percent(storedSizeBytes, totalSizeBytes)} of total, ${percent(storedSizeBytes, deduplicatedSizeBytes)} of de-duplicated)`,
    ],
    ['Database size', `${size(figures.databaseSizeBytes)} (uncompressed)`],
    ['Cache size', `${size(figures.cacheSizeBytes)}, ${figures.cacheEntryCount} entries`],
    ['Cache size (dirty)', `${size(figures.dirtySizeBytes)}, ${figures.dirtyEntryCount} entries`],
    ['Queued object removals', String(figures.pendingRemovalCount)],
  ];
  return lines.map(([label, value]) => `${`${label}:`.padEnd(LABEL_WIDTH)} ${value}\n`).join('');
}

/** For `--json`: numbers where they are exact as such, else decimal strings. `more`: what the mount tells by its socket. */
export function statisticsJson(
  figures: MountStatistics,
  store?: StoreMetricsSnapshot,
  state?: MountState,
  more: Readonly<Record<string, unknown>> = {},
): string {
  return `${JSON.stringify({ ...figures, store, state, ...more }, exactNumbers)}\n`;
}

/** `78.11%`; of nothing, everything is 0.00%. */
function percent(part: bigint, whole: bigint): string {
  return `${(whole === 0n ? 0 : (Number(part) / Number(whole)) * 100).toFixed(2)}%`;
}
