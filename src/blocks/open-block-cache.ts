/** Opens the block cache in a directory: recovers what the last session left, then puts the parts together. */
import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocateSync } from '../util/libc.ts';
import { isUnsupported } from '../util/system-call-error.ts';
import type { BlockCacheOptions } from './block-cache-options.ts';
import { BlockIndex } from './block-index.ts';
import { CacheSpace } from './cache-space.ts';
import { PAGE_BYTES } from './cached-block.ts';
import { recoverSegments, type RecoverySummary } from './recovery.ts';
import { Segment } from './segment.ts';
import { SegmentStore, SLOTS_PER_SEGMENT } from './segment-store.ts';
import { SegmentedBlockCache } from './segmented-block-cache.ts';
import { TruncationJournal } from './truncation-journal.ts';
import { readSession, writeSession } from './session-file.ts';

/** What commits need when even this is gone is set aside by the metadata (wal-reserve.ts). */
const DEFAULT_DISK_RESERVE_BYTES = 80 * 1024 * 1024;
const DEFAULT_MAX_OPEN_SEGMENTS = 256;

export interface OpenedBlockCache {
  readonly cache: SegmentedBlockCache;
  readonly recovery: RecoverySummary;
}

/**
 * The database must be in the state it will go on from, with nothing committed since it was opened. The caller owns the directory alone.
 * @throws UserError if the directory holds blocks of another size
 */
export async function openBlockCache(options: BlockCacheOptions): Promise<OpenedBlockCache> {
  const { directory, blockSizeBytes, database } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const session = readSession(directory);
  const slotsPerSegment = canPunchHoles(directory) ? SLOTS_PER_SEGMENT : 1;
  const store = new SegmentStore({
    directory,
    blockSizeBytes,
    maxOpenSegments: options.maxOpenSegments ?? DEFAULT_MAX_OPEN_SEGMENTS,
    slotsPerSegment,
  });
  try {
    const index = new BlockIndex();
    const blockBytes = Math.ceil(blockSizeBytes / PAGE_BYTES) * PAGE_BYTES;
    const space = new CacheSpace({
      directory,
      diskReserveBytes: options.diskReserveBytes ?? DEFAULT_DISK_RESERVE_BYTES,
      minimumBytes: 2 * (blockBytes + Segment.overheadBytes(slotsPerSegment)),
      limits: options.limits,
    });
    const recovery = await recoverSegments({ store, index, space, database, session });
    const truncations = await TruncationJournal.open({ path: join(directory, 'truncations'), database, blockSizeBytes });
    writeSession(directory, 'running');
    return { cache: new SegmentedBlockCache({ options, store, index, space, truncations }), recovery };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

function canPunchHoles(directory: string): boolean {
  const path = join(directory, 'punch-test');
  const fd = openSync(path, 'w');
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, new Uint8Array(2 * PAGE_BYTES));
    fallocateSync(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE_BYTES);
    return true;
  } catch (error) {
    if (isUnsupported(error)) return false;
    throw error;
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
