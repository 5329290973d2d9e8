/**
 * Every transition of a cached block, each in one synchronous step (memory, record, accounting). Nobody else changes a block's state.
 *
 *   create -> dirty -> (upload) settling -> (epoch durable) clean -> evicted
 *   install -> clean;  clean or settling -> dirty (write);  any -> gone (giveUp)
 *
 * A dirty or settling block that is given up keeps its slot until the epoch of that is durable: until then a crash takes the database
 * back to a state that needs it. Its record carries the stamp of the transaction, by which recovery tells whether it happened.
 * Methods that need room return false or undefined if there is none: the caller waits at `space` and starts over.
 */
import type { Epoch } from '../metadata/database.ts';
import type { BlockIndex as BlockNumber, InodeId, ObjectId } from '../metadata/types.ts';
import type { BlockCacheLog, BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockList } from './block-list.ts';
import type { CacheSpace, SpaceNeed } from './cache-space.ts';
import { type CachedBlock, PAGE_BYTES } from './cached-block.ts';
import { localError } from './errors.ts';
import type { SegmentReclaim } from './segment-reclaim.ts';
import type { SegmentStore } from './segment-store.ts';

interface GivenUp {
  readonly entry: CachedBlock;
  /** The inode still exists, so that the record could bring the block back. */
  readonly mark: boolean;
}

function pageBytes(from: number, end: number): number {
  return (Math.ceil(end / PAGE_BYTES) - Math.floor(from / PAGE_BYTES)) * PAGE_BYTES;
}

export interface BlockStatesParts {
  readonly index: BlockIndex;
  readonly store: SegmentStore;
  readonly reclaim: SegmentReclaim;
  readonly space: CacheSpace;
  readonly database: BlockDatabase;
  readonly log: BlockCacheLog;
}

export class BlockStates {
  readonly #index: BlockIndex;
  readonly #store: SegmentStore;
  readonly #reclaim: SegmentReclaim;
  readonly #space: CacheSpace;
  readonly #database: BlockDatabase;
  readonly #log: BlockCacheLog;
  #stamp = 0;
  #stampEpoch: Epoch = -1;
  #durableEpoch: Epoch = -1;
  /** In order of their epochs. */
  #givenUp: GivenUp[] = [];
  #givenUpBytes = 0;
  /** Called when a block became dirty or changed. */
  onDirty: () => void = () => {};

  constructor(parts: BlockStatesParts) {
    this.#index = parts.index;
    this.#store = parts.store;
    this.#reclaim = parts.reclaim;
    this.#space = parts.space;
    this.#database = parts.database;
    this.#log = parts.log;
  }

  /** Bytes of blocks that were given up and wait for their epoch. */
  get givenUpBytes(): number {
    return this.#givenUpBytes;
  }

  /** What a new block with these bytes takes of the disk. */
  needBytes(block: BlockNumber, at: number, lengthBytes: number): number {
    return pageBytes(at, at + lengthBytes) + this.#store.overheadBytes(block === 0 ? 0 : 1);
  }

  /** What a write to `count` blocks, from `at` in the first to `end` in the last, takes of disk and index. */
  needOfRun(inode: InodeId, first: BlockNumber, count: number, at: number, end: number): SpaceNeed {
    let bytes = 0;
    let entries = 0;
    for (let block = first; block < first + count; block++) {
      const from = block === first ? at : 0;
      const until = block === first + count - 1 ? end : this.#store.blockSizeBytes;
      const entry = this.#index.get(inode, block);
      if (entry) bytes += entry.growthBytes(from, until);
      else {
        bytes += pageBytes(from, until);
        entries += 1;
      }
    }
    const firstIsNew = first === 0 && !this.#index.get(inode, 0) ? 1 : 0;
    return { bytes: bytes + this.#store.overheadBytes(0, firstIsNew) + this.#store.overheadBytes(1, entries - firstIsNew), entries };
  }

  /**
   * A new dirty block with `data` at `at` and zeros elsewhere. `shadows`: the store has older content for it.
   * @throws FsError ENOSPC, EIO
   */
  create(inode: InodeId, block: BlockNumber, at: number, data: Uint8Array, shadows: boolean): CachedBlock | undefined {
    const entry = this.#allocate(inode, block, at, data);
    if (!entry) return undefined;
    entry.validFrom = this.#stamp;
    entry.provisional = shadows;
    this.#finish(entry, this.#index.dirty);
    entry.changedMs = performance.now();
    this.onDirty();
    return entry;
  }

  /** A clean block with the bytes of its object. @throws FsError ENOSPC, EIO */
  install(inode: InodeId, block: BlockNumber, data: Uint8Array, objectId: ObjectId): CachedBlock | undefined {
    const entry = this.#allocate(inode, block, 0, data);
    if (!entry) return undefined;
    entry.state = 'clean';
    entry.objectId = objectId;
    this.#finish(entry, this.#index.clean);
    return entry;
  }

  #allocate(inode: InodeId, block: BlockNumber, at: number, data: Uint8Array): CachedBlock | undefined {
    const bytes = this.needBytes(block, at, data.length);
    if (!this.#space.tryTake(bytes, 1)) return undefined;
    let entry: CachedBlock;
    try {
      entry = this.#store.allocate(inode, block);
    } catch (error) {
      this.#space.release(bytes, 1);
      throw localError(error);
    }
    entry.noteAllocated(at, at + data.length);
    try {
      this.#store.writeData(entry, at, data);
    } catch (error) {
      this.#discard(entry);
      throw localError(error);
    }
    entry.lengthBytes = at + data.length;
    entry.staleEndBytes = entry.lengthBytes;
    return entry;
  }

  #finish(entry: CachedBlock, list: BlockList): void {
    try {
      this.#store.writeRecord(entry);
    } catch (error) {
      this.#discard(entry);
      throw localError(error);
    }
    this.#index.add(entry);
    list.append(entry);
  }

  /** A new block that failed before anybody saw it; it has no whole record. */
  #discard(entry: CachedBlock): void {
    entry.state = 'gone';
    this.#space.release(0, 1);
    this.#reclaim.free(entry, false);
  }

  /** Replaces bytes. False: no room to grow. @throws FsError ENOSPC, EIO */
  write(entry: CachedBlock, at: number, data: Uint8Array): boolean {
    const end = at + data.length;
    if (!this.#prepare(entry, at, end)) return false;
    try {
      if (end > entry.lengthBytes) this.#clearTail(entry);
      this.#store.writeData(entry, at, data);
    } catch (error) {
      throw localError(error);
    }
    if (end > entry.lengthBytes) {
      entry.lengthBytes = end;
      entry.staleEndBytes = end;
    }
    return true;
  }

  /** Zeroes what the block has in [from, end). False: no room to grow. @throws FsError EIO */
  zero(entry: CachedBlock, from: number, end: number): boolean {
    const until = Math.min(end, entry.lengthBytes);
    if (from >= until) return true;
    if (!this.#prepare(entry, from, until)) return false;
    try {
      this.#store.writeZeros(entry, from, until);
    } catch (error) {
      throw localError(error);
    }
    return true;
  }

  /** Forgets the bytes from `lengthBytes` on; they stay in the slot for as long as a crash may want them back. */
  cut(entry: CachedBlock, lengthBytes: number): void {
    if (lengthBytes >= entry.lengthBytes) return;
    this.#prepare(entry, 0, 0);
    try {
      if (entry.staleEndBytes > entry.lengthBytes) {
        // A record holds one cut only: the one before is carried out.
        this.#store.writeZeros(entry, entry.lengthBytes, entry.staleEndBytes);
        entry.staleEndBytes = entry.lengthBytes;
      }
      entry.lengthBytes = lengthBytes;
      entry.cutAt = this.#takeStamp();
      this.#store.writeRecord(entry);
    } catch (error) {
      throw localError(error);
    }
    entry.segment.orderCritical = true;
  }

  /** Makes the block dirty, takes room for [from, end). */
  #prepare(entry: CachedBlock, from: number, end: number): boolean {
    const growth = end > from ? entry.growthBytes(from, end) : 0;
    if (growth > 0) {
      if (!this.#space.tryTake(growth, 0)) return false;
      entry.noteAllocated(from, end);
      if (entry.list) entry.list.sizeBytes += growth;
    }
    if (entry.state === 'clean') this.#dirtyClean(entry);
    entry.state = 'dirty';
    entry.version += 1;
    entry.changedMs = performance.now();
    this.#index.dirty.append(entry);
    this.onDirty();
    return true;
  }

  /** The record of a clean block must say that it is dirty before its bytes change. */
  #dirtyClean(entry: CachedBlock): void {
    try {
      if (entry.staleEndBytes > entry.lengthBytes) {
        this.#store.writeZeros(entry, entry.lengthBytes, entry.staleEndBytes);
        entry.staleEndBytes = entry.lengthBytes;
      }
      entry.state = 'dirty';
      entry.validFrom = this.#stamp;
      entry.provisional = entry.writeNumber > entry.segment.syncedNumber;
      this.#store.writeRecord(entry);
    } catch (error) {
      entry.state = 'clean';
      throw localError(error);
    }
  }

  /** Before the block grows: what lies behind its end must be zeros, and no recovery may cut it any more. */
  #clearTail(entry: CachedBlock): void {
    if (entry.staleEndBytes > entry.lengthBytes) {
      this.#store.writeZeros(entry, entry.lengthBytes, entry.staleEndBytes);
      entry.staleEndBytes = entry.lengthBytes;
    }
    if (entry.cutAt !== 0) {
      entry.cutAt = 0;
      this.#store.writeRecord(entry);
    }
  }

  /** One id per transaction that gives something up: recovery sees by it whether the transaction happened. */
  #takeStamp(): number {
    const epoch = this.#database.openEpoch;
    if (epoch !== this.#stampEpoch) {
      this.#stamp = this.#database.blocks.reserveObjectIds(1);
      this.#stampEpoch = epoch;
    }
    return this.#stamp;
  }

  /**
   * The block no longer holds its place in the file, in the open transaction. `inodeGone`: nor does the file exist when that transaction
   * (or a later one) is durable.
   */
  giveUp(entry: CachedBlock, inodeGone: boolean): void {
    const wasClean = entry.state === 'clean';
    if (!wasClean && !inodeGone) {
      entry.givenUpAt = this.#takeStamp();
      try {
        this.#store.writeRecord(entry);
      } catch (error) {
        entry.givenUpAt = 0;
        throw localError(error);
      }
      entry.segment.orderCritical = true;
    }
    this.#leave(entry);
    if (wasClean && !inodeGone) {
      this.#reclaim.free(entry, true);
      return;
    }
    entry.epoch = this.#database.openEpoch;
    this.#givenUpBytes += entry.allocatedBytes;
    this.#givenUp.push({ entry, mark: !inodeGone });
  }

  /** Lets go of a clean block; the store has it. */
  evict(entry: CachedBlock): void {
    this.#leave(entry);
    this.#reclaim.free(entry, true);
  }

  #leave(entry: CachedBlock): void {
    this.#index.remove(entry);
    entry.state = 'gone';
    this.#space.release(0, 1);
  }

  /** The bytes of that version are in the object, and the open transaction links the block to it. */
  linked(entry: CachedBlock, objectId: ObjectId, version: number): void {
    entry.linkedVersion = version;
    if (entry.state !== 'dirty' || entry.version !== version) return;
    entry.state = 'settling';
    entry.objectId = objectId;
    // If nothing is pending, the link was there before.
    entry.epoch = this.#database.pendingChangeCount > 0 ? this.#database.openEpoch : this.#database.openEpoch - 1;
    this.#index.settling.append(entry);
    if (entry.epoch <= this.#durableEpoch) this.epochDurable(this.#durableEpoch);
  }

  /** What waited for this epoch may go or becomes clean. */
  epochDurable(epoch: Epoch): void {
    this.#durableEpoch = epoch;
    for (let entry = this.#index.settling.first; entry && entry.epoch <= epoch; entry = this.#index.settling.first) {
      entry.state = 'clean';
      entry.cutAt = 0;
      entry.provisional = false;
      this.#index.clean.append(entry);
      try {
        this.#store.writeRecord(entry);
      } catch (error) {
        // The record goes on to say dirty, which is no loss: after a crash the block would be compared with the store again.
        this.#log.error('Cannot mark a cached block as clean', error);
      }
    }
    let count = 0;
    for (const { entry, mark } of this.#givenUp) {
      if (entry.epoch > epoch) break;
      count += 1;
      this.#givenUpBytes -= entry.allocatedBytes;
      this.#reclaim.free(entry, mark);
    }
    if (count > 0) this.#givenUp = this.#givenUp.slice(count);
  }

  /** The block was read. */
  touch(entry: CachedBlock): void {
    if (entry.state === 'clean') this.#index.clean.append(entry);
  }
}
