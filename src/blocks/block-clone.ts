/**
 * Copies a range of one file to another (or to another place of the same): by reference where blocks correspond, else through the cache.
 * Whole source blocks that are dirty are uploaded first. Holes stay holes.
 */
import type { BlockIndex as BlockNumber, InodeId, ObjectId } from '../metadata/types.ts';
import { untilAborted } from '../util/until-aborted.ts';
import type { CloneOptions } from './block-cache.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { BLOCKS_PER_SLICE, locate, nextSlice } from './block-ranges.ts';
import type { BlockStates } from './block-states.ts';
import type { CachedReads } from './cached-reads.ts';
import type { CachedWrites } from './cached-writes.ts';
import type { FileExtents } from './file-extents.ts';
import type { RangeRemoval } from './range-removal.ts';
import type { RemovalQueue } from './removal-queue.ts';
import type { Uploader } from './uploader.ts';

const COPY_BYTES = 1024 * 1024;

export interface BlockCloneParts {
  readonly index: BlockIndex;
  readonly states: BlockStates;
  readonly reads: CachedReads;
  readonly writes: CachedWrites;
  readonly removal: RangeRemoval;
  readonly removals: RemovalQueue;
  readonly extents: FileExtents;
  readonly uploader: Uploader;
  readonly database: BlockDatabase;
  readonly blockSizeBytes: number;
}

export class BlockClone {
  readonly #parts: BlockCloneParts;

  constructor(parts: BlockCloneParts) {
    this.#parts = parts;
  }

  async clone(
    source: InodeId,
    sourceOffset: bigint,
    target: InodeId,
    targetOffset: bigint,
    lengthBytes: bigint,
    { signal, onProgress = () => {} }: CloneOptions = {},
  ): Promise<void> {
    const { blockSizeBytes } = this.#parts;
    const from = locate(sourceOffset, blockSizeBytes);
    const to = locate(targetOffset, blockSizeBytes);
    let done = 0n;
    if (from.within === 0 && to.within === 0) {
      const { block: whole, within: rest } = locate(lengthBytes, blockSizeBytes);
      if (whole > 0) {
        const linked = (blocks: number): void => onProgress(BigInt(blocks) * BigInt(blockSizeBytes));
        await this.#link(source, from.block, target, to.block, whole, linked, signal);
        done = BigInt(whole) * BigInt(blockSizeBytes);
      }
      if (rest > 0 && this.#linkRest(source, from.block + whole, target, to.block + whole, rest)) {
        onProgress(lengthBytes);
        return;
      }
    }
    const copied = (bytes: bigint): void => onProgress(done + bytes);
    await this.#copy(source, sourceOffset + done, target, targetOffset + done, lengthBytes - done, copied, signal);
  }

  /** Links whole blocks. `onLinked` is told, in the same step, how many of them are the target's now. */
  async #link(
    source: InodeId,
    first: BlockNumber,
    target: InodeId,
    targetFirst: BlockNumber,
    count: number,
    onLinked: (blocks: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { database, removal, removals } = this.#parts;
    const end = first + count;
    // What is written to the source from here on may or may not be in the copy.
    await this.#uploadDirty(source, first, end, signal);
    for (let at = first; at < end;) {
      signal?.throwIfAborted();
      const rows = database.blocks.range(source, at, end, BLOCKS_PER_SLICE);
      for (const row of rows) {
        if (row.block > at) await removal.giveUp(target, at - first + targetFirst, row.block - first + targetFirst, false);
        this.#linkBlock(target, row.block - first + targetFirst, row.objectId);
        at = row.block + 1;
        onLinked(at - first);
      }
      removals.collect();
      if (rows.length < BLOCKS_PER_SLICE) {
        await removal.giveUp(target, at - first + targetFirst, targetFirst + count, false);
        onLinked(count);
        return;
      }
      await nextSlice();
    }
  }

  /**
   * Links the first `lengthBytes` of a block, if neither block has bytes behind them and the source is in the store as it is. A last block that
   * is not is copied in the cache: waiting for the store would make copies of many small new files slow, and equal bytes are stored once anyway.
   */
  #linkRest(source: InodeId, block: BlockNumber, target: InodeId, targetBlock: BlockNumber, lengthBytes: number): boolean {
    const { index, database, removals } = this.#parts;
    if (index.get(source, block)?.state === 'dirty') return false;
    const row = database.blocks.get(source, block);
    if (row === undefined || row.lengthBytes > lengthBytes) return false;
    const replaced = index.get(target, targetBlock) ?? database.blocks.get(target, targetBlock);
    if (replaced !== undefined && replaced.lengthBytes > lengthBytes) return false;
    this.#linkBlock(target, targetBlock, row.objectId);
    removals.collect();
    return true;
  }

  #linkBlock(target: InodeId, block: BlockNumber, object: ObjectId): void {
    const { index, states, database } = this.#parts;
    const entry = index.get(target, block);
    if (entry) states.giveUp(entry, false);
    database.blocks.link(target, block, object);
  }

  async #uploadDirty(inode: InodeId, first: BlockNumber, end: BlockNumber, signal?: AbortSignal): Promise<void> {
    const { index, uploader } = this.#parts;
    const dirty = index.ofInode(inode, first, end).filter((entry) => entry.state === 'dirty');
    for (let at = 0; at < dirty.length; at += uploader.limit) {
      const uploads = dirty.slice(at, at + uploader.limit).map((entry) => uploader.uploadNow(entry));
      await untilAborted(Promise.all(uploads), signal);
    }
  }

  async #copy(
    source: InodeId,
    sourceOffset: bigint,
    target: InodeId,
    targetOffset: bigint,
    lengthBytes: bigint,
    onCopied: (bytes: bigint) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { extents, reads, writes, removal, blockSizeBytes } = this.#parts;
    const end = sourceOffset + lengthBytes;
    const wanted = lengthBytes < BigInt(COPY_BYTES) ? Number(lengthBytes) : COPY_BYTES;
    const buffer = new Uint8Array(Math.min(wanted, blockSizeBytes));
    for (let at = sourceOffset; at < end;) {
      signal?.throwIfAborted();
      const data = extents.seekData(source, at) ?? end;
      const holeEnd = data < end ? data : end;
      if (holeEnd > at) {
        await removal.punch(target, at - sourceOffset + targetOffset, holeEnd - at);
        at = holeEnd;
        onCopied(at - sourceOffset);
        continue;
      }
      const left = end - at;
      const inBlock = blockSizeBytes - locate(at, blockSizeBytes).within;
      const part = buffer.subarray(0, Number(left < BigInt(inBlock) ? left : BigInt(inBlock)));
      await reads.read(source, at, part, signal);
      await writes.write(target, at - sourceOffset + targetOffset, part, signal && { signal });
      at += BigInt(part.length);
      onCopied(at - sourceOffset);
    }
  }
}
