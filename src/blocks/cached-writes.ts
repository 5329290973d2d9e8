/**
 * Writes to file ranges, block by block: synchronous if the block is cached, written whole or new. What has to wait (for room, for a block's
 * older content) prepares and then starts over, so that every change of a block is one synchronous step on what is there at that time.
 */
import type { BlockIndex as BlockNumber, InodeId, StoredBlock } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { locate } from './block-ranges.ts';
import type { BlockStates } from './block-states.ts';
import type { CachedBlock } from './cached-block.ts';
import type { CachedReads } from './cached-reads.ts';
import type { CacheSpace } from './cache-space.ts';
import type { Downloads } from './downloads.ts';
import type { SegmentSync } from './segment-sync.ts';

export interface CachedWritesParts {
  readonly index: BlockIndex;
  readonly states: BlockStates;
  readonly space: CacheSpace;
  readonly downloads: Downloads;
  readonly reads: CachedReads;
  readonly sync: SegmentSync;
  readonly database: BlockDatabase;
  readonly blockSizeBytes: number;
  /** Called after the cache grew. */
  readonly onGrowth: () => void;
}

export class CachedWrites {
  readonly #parts: CachedWritesParts;

  constructor(parts: CachedWritesParts) {
    this.#parts = parts;
  }

  /** @throws FsError ENOSPC, EIO */
  write(inode: InodeId, offset: bigint, data: Uint8Array): void | Promise<void> {
    const { blockSizeBytes } = this.#parts;
    let { block, within } = locate(offset, blockSizeBytes);
    for (let done = 0; done < data.length;) {
      const part = data.subarray(done, done + Math.min(data.length - done, blockSizeBytes - within));
      const waiting = this.#writePart(inode, block, within, part);
      if (waiting) return this.#continue(waiting, inode, offset + BigInt(done), data.subarray(done));
      done += part.length;
      block += 1;
      within = 0;
    }
    this.#parts.onGrowth();
    return undefined;
  }

  async #continue(waiting: Promise<void>, inode: InodeId, offset: bigint, rest: Uint8Array): Promise<void> {
    await waiting;
    await this.write(inode, offset, rest);
  }

  /** Returns what to wait for before another try. */
  #writePart(inode: InodeId, block: BlockNumber, within: number, data: Uint8Array): Promise<void> | undefined {
    const { index, states, space, sync, database } = this.#parts;
    let entry = index.get(inode, block);
    if (entry) {
      if (!states.write(entry, within, data)) return space.wait(entry.growthBytes(within, within + data.length), 0);
    } else {
      const row = database.blocks.get(inode, block);
      if (row && (within > 0 || data.length < row.lengthBytes)) return this.#fetch(inode, block, row);
      entry = states.create(inode, block, within, data, row !== undefined);
      if (!entry) return space.wait(states.needBytes(block, within, data.length), 1);
    }
    sync.startWriteBack(entry.segment);
    return undefined;
  }

  /** Brings a stored block into the cache. @throws FsError EIO, ENOSPC */
  async #fetch(inode: InodeId, block: BlockNumber, row: StoredBlock): Promise<void> {
    const { downloads, reads, index, space, states } = this.#parts;
    const bytes = await downloads.get({ inode, block }, row);
    if (reads.install(inode, block, row.objectId, bytes)) return;
    // Either no room, or the block changed: both are looked at again after the wait.
    if (!index.get(inode, block)) await space.wait(states.needBytes(block, 0, row.lengthBytes), 1);
  }

  /**
   * The block's entry for a change in place, fetched if need be; undefined if the block is a hole. Synchronous if it can be.
   * Whoever gets a promise looks again when it resolves.
   */
  entryForChange(inode: InodeId, block: BlockNumber): CachedBlock | Promise<void> | undefined {
    const entry = this.#parts.index.get(inode, block);
    if (entry) return entry;
    const row = this.#parts.database.blocks.get(inode, block);
    return row && this.#fetch(inode, block, row);
  }
}
