/**
 * Reads of file ranges: synchronous where the block is cached or a hole, else by fetching the object. A fetched block is put into the cache
 * if there is room; the reader is served from memory in any case.
 */
import type { BlockIndex as BlockNumber, InodeId, ObjectId } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { locate } from './block-ranges.ts';
import type { BlockStates } from './block-states.ts';
import type { CachedBlock } from './cached-block.ts';
import type { Downloads } from './downloads.ts';
import { localError } from './errors.ts';
import type { SegmentStore } from './segment-store.ts';

export interface CachedReadsParts {
  readonly index: BlockIndex;
  readonly store: SegmentStore;
  readonly states: BlockStates;
  readonly downloads: Downloads;
  readonly database: BlockDatabase;
  /** Called after the cache grew. */
  readonly onGrowth: () => void;
}

export class CachedReads {
  readonly #parts: CachedReadsParts;
  readonly #blockSizeBytes: number;

  constructor(parts: CachedReadsParts) {
    this.#parts = parts;
    this.#blockSizeBytes = parts.store.blockSizeBytes;
  }

  isCached(inode: InodeId, offset: bigint, lengthBytes: number): boolean {
    const { index, database } = this.#parts;
    const first = locate(offset, this.#blockSizeBytes);
    const blockCount = Math.ceil((first.within + lengthBytes) / this.#blockSizeBytes);
    for (let block = first.block; block < first.block + blockCount; block++) {
      if (!index.get(inode, block) && database.blocks.get(inode, block)) return false;
    }
    return true;
  }

  /** @throws FsError EIO, EINTR */
  read(inode: InodeId, offset: bigint, into: Uint8Array, signal?: AbortSignal): void | Promise<void> {
    const first = locate(offset, this.#blockSizeBytes);
    let fetches: Promise<void>[] | undefined;
    let { block, within } = first;
    for (let done = 0; done < into.length;) {
      const part = into.subarray(done, done + Math.min(into.length - done, this.#blockSizeBytes - within));
      const fetch = this.#readPart(inode, block, within, part, signal);
      if (fetch) (fetches ??= []).push(fetch);
      done += part.length;
      block += 1;
      within = 0;
    }
    return fetches && allSettled(fetches);
  }

  #readPart(
    inode: InodeId,
    block: BlockNumber,
    within: number,
    into: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined {
    const entry = this.#parts.index.get(inode, block);
    if (entry) {
      this.#copy(entry, within, into);
      return undefined;
    }
    const row = this.#parts.database.blocks.get(inode, block);
    if (row) {
      const use = (bytes: Uint8Array): void => {
        this.install(inode, block, row.objectId, bytes);
        this.#parts.onGrowth();
        const available = bytes.subarray(within, within + into.length);
        into.set(available);
        into.fill(0, available.length);
      };
      return this.#parts.downloads.get({ inode, block }, row, use, signal);
    }
    into.fill(0);
    return undefined;
  }

  #copy(entry: CachedBlock, within: number, into: Uint8Array): void {
    const count = Math.min(into.length, Math.max(0, entry.lengthBytes - within));
    try {
      if (count > 0) this.#parts.store.readData(entry, within, count === into.length ? into : into.subarray(0, count));
    } catch (error) {
      throw localError(error);
    }
    if (count < into.length) into.fill(0, count);
    this.#parts.states.touch(entry);
  }

  /** Puts fetched bytes into the cache unless the block is there, or refers to something else by now. Returns whether it is there now. */
  install(inode: InodeId, block: BlockNumber, objectId: ObjectId, bytes: Uint8Array): boolean {
    const { index, database, states, downloads } = this.#parts;
    if (index.get(inode, block)) return true;
    if (database.blocks.get(inode, block)?.objectId !== objectId) return false;
    let entry: CachedBlock | undefined;
    try {
      entry = states.install(inode, block, bytes, objectId);
    } catch {
      // The cache's disk is full or broken: reads go on without it, and writes report it.
    }
    if (entry) downloads.release(objectId);
    else downloads.keep(objectId, bytes);
    return entry !== undefined;
  }
}

/** Waits for all even if one fails: nobody writes into the reader's buffer after it has got its error. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason;
}
