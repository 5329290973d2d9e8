/** statfs(2): a store has no size of its own, so the file system shows twice what is used, at least 1 TiB, as S3QL does. */
import type { MetadataTotals } from '../metadata/database.ts';

const BLOCK_BYTES = 4096;
const MIN_SIZE_BYTES = 2n ** 40n;
const MIN_FILES = 1_000_000;

export interface FileSystemStatistics {
  readonly blockSizeBytes: number;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}

export function fileSystemStatistics(totals: MetadataTotals, dirtyBytes: number): FileSystemStatistics {
  const usedBytes = totals.deduplicatedSizeBytes + BigInt(dirtyBytes);
  const sizeBytes = 2n * usedBytes > MIN_SIZE_BYTES ? 2n * usedBytes : MIN_SIZE_BYTES;
  const files = Math.max(2 * totals.inodeCount, MIN_FILES);
  const blockBytes = BigInt(BLOCK_BYTES);
  return {
    blockSizeBytes: BLOCK_BYTES,
    blocks: sizeBytes / blockBytes,
    freeBlocks: (sizeBytes - usedBytes) / blockBytes,
    files: BigInt(files),
    freeFiles: BigInt(files - totals.inodeCount),
  };
}
