/**
 * Writes to file ranges, block by block: synchronous if the block is cached, written whole or new. What has to wait (for room, for a block's
 * older content) prepares and then starts over, so that every change of a block is one synchronous step on what is there at that time.
 */
import type { BlockIndex as BlockNumber, InodeId, StoredBlock } from '../metadata/types.ts';
import type { BlockWaiter } from './block-cache.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { locate } from './block-ranges.ts';
import type { BlockStates } from './block-states.ts';
import type { CachedBlock } from './cached-block.ts';
import type { CachedReads } from './cached-reads.ts';
import type { CacheSpace, SpaceNeed } from './cache-space.ts';
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

/** Room, or the stored content of a block. */
type Missing = SpaceNeed | { readonly block: BlockNumber; readonly row: StoredBlock };

export class CachedWrites {
  readonly #parts: CachedWritesParts;

  constructor(parts: CachedWritesParts) {
    this.#parts = parts;
  }

  /** @throws FsError ENOSPC, EIO, EINTR; then nothing was written, unless the write is as large as half the cache */
  write(inode: InodeId, offset: bigint, data: Uint8Array, waiter?: BlockWaiter): void | Promise<void> {
    const { blockSizeBytes } = this.#parts;
    let { block, within } = locate(offset, blockSizeBytes);
    const missing = this.#missingForRun(inode, block, within, data.length);
    if (missing) return this.#prepare(inode, missing, waiter, () => this.write(inode, offset, data, waiter));
    for (let done = 0; done < data.length;) {
      const part = data.subarray(done, done + Math.min(data.length - done, blockSizeBytes - within));
      const missing = this.#writePart(inode, block, within, part);
      if (missing)
        return this.#prepare(inode, missing, waiter, () => this.write(inode, offset + BigInt(done), data.subarray(done), waiter));
      done += part.length;
      block += 1;
      within = 0;
    }
    this.#parts.onGrowth();
    return undefined;
  }

  #prepare(inode: InodeId, missing: Missing, waiter: BlockWaiter | undefined, goOn: () => void | Promise<void>): Promise<void> {
    if ('row' in missing) return this.#fetch(inode, missing.block, missing.row, waiter, goOn);
    return this.#parts.space.wait(missing.bytes, missing.entries, waiter?.signal).then(goOn);
  }

  /**
   * What a write of several blocks has to wait for. It takes place as a whole: were its first blocks uploaded and committed while the
   * rest waits, a crash would leave bytes behind the end of the file, where no write ever returned.
   */
  #missingForRun(inode: InodeId, first: BlockNumber, within: number, lengthBytes: number): Missing | undefined {
    const { index, states, space, database, blockSizeBytes } = this.#parts;
    const count = Math.ceil((within + lengthBytes) / blockSizeBytes);
    if (count < 2) return undefined;
    const end = within + lengthBytes - (count - 1) * blockSizeBytes;
    for (const [block, covers] of [
      [first, within === 0],
      [first + count - 1, false],
    ] as const) {
      if (covers || index.get(inode, block)) continue;
      const row = database.blocks.get(inode, block);
      if (row && (block === first || row.lengthBytes > end)) return { block, row };
    }
    const need = states.needOfRun(inode, first, count, within, end);
    if (need.bytes > space.sizeLimitBytes / 2 || need.entries > space.entryLimit / 2 || space.fits(need)) return undefined;
    return need;
  }

  /** Returns what is missing: room, or the block's stored content. */
  #writePart(inode: InodeId, block: BlockNumber, within: number, data: Uint8Array): Missing | undefined {
    const { index, states, sync, database } = this.#parts;
    let entry = index.get(inode, block);
    if (entry) {
      if (!states.write(entry, within, data)) return { bytes: entry.growthBytes(within, within + data.length), entries: 0 };
    } else {
      const row = database.blocks.get(inode, block);
      if (row && (within > 0 || data.length < row.lengthBytes)) return { block, row };
      entry = states.create(inode, block, within, data, row !== undefined);
      if (!entry) return { bytes: states.needBytes(block, within, data.length), entries: 1 };
    }
    sync.startWriteBack(entry.segment);
    return undefined;
  }

  /**
   * Changes a block in place, or does nothing if it is a hole. `change` gets the block's entry, at once or when that has been fetched; it
   * returns the bytes it lacks (or 0) and is called again when there may be room.
   */
  changeBlock(inode: InodeId, block: BlockNumber, change: (entry: CachedBlock) => number, waiter?: BlockWaiter): Promise<void> | undefined {
    const { index, database, space } = this.#parts;
    const again = (): Promise<void> | undefined => this.changeBlock(inode, block, change, waiter);
    const entry = index.get(inode, block);
    if (!entry) {
      const row = database.blocks.get(inode, block);
      return row && this.#fetch(inode, block, row, waiter, again);
    }
    const missingBytes = change(entry);
    return missingBytes > 0 ? space.wait(missingBytes, 0, waiter?.signal).then(again) : undefined;
  }

  /**
   * Brings a stored block into the cache, where it stays until `goOn` is done, and goes on.
   * @throws FsError EIO, ENOSPC, EINTR
   */
  async #fetch(
    inode: InodeId,
    block: BlockNumber,
    row: StoredBlock,
    waiter: BlockWaiter | undefined,
    goOn: () => void | Promise<void>,
  ): Promise<void> {
    const { downloads, reads, index, space, states, database } = this.#parts;
    let entry = undefined as CachedBlock | undefined;
    const install = (bytes: Uint8Array): void => {
      reads.install(inode, block, row.objectId, bytes);
      entry = index.get(inode, block);
      if (entry) entry.pinCount += 1;
    };
    try {
      await downloads.get({ inode, block }, row, install, waiter?.signal);
      // Without an entry there was no room, or the block changed: everything is looked at again.
      if (!entry && database.blocks.get(inode, block)) await space.wait(states.needBytes(block, 0, row.lengthBytes), 1, waiter?.signal);
      await goOn();
    } finally {
      if (entry) entry.pinCount -= 1;
    }
  }
}
