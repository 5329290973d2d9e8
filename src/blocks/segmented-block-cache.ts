/**
 * The block cache: ties its parts together. Each part's header says what it owns; docs/internals/block-cache.md tells the whole story.
 *
 * Concurrency: every change of a block, its record and its rows is one synchronous step (block-states.ts). What has to wait (downloads,
 * uploads, room, syncs) only prepares such a step and looks at everything anew afterwards. So no block is ever locked.
 */
import type { Epoch } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import type { BlockCache, BlockCacheLimits, BlockCacheStats, BlockReader, BlockWaiter, CloneOptions, FlushOptions } from './block-cache.ts';
import type { BlockCacheOptions } from './block-cache-options.ts';
import { BlockClone } from './block-clone.ts';
import type { BlockIndex } from './block-index.ts';
import { BlockStates } from './block-states.ts';
import { CachedReads } from './cached-reads.ts';
import { CachedWrites } from './cached-writes.ts';
import type { CacheSpace } from './cache-space.ts';
import { DamagedObjects } from './damaged-objects.ts';
import { Downloads } from './downloads.ts';
import { FileExtents } from './file-extents.ts';
import { flushBlocks } from './flush.ts';
import { ObjectIds } from './object-ids.ts';
import { RangeRemoval } from './range-removal.ts';
import { ReadAhead } from './read-ahead.ts';
import { type RemovalOptions, RemovalQueue } from './removal-queue.ts';
import { RoomMaker } from './room-maker.ts';
import { SegmentReclaim } from './segment-reclaim.ts';
import type { SegmentStore } from './segment-store.ts';
import { SegmentSync } from './segment-sync.ts';
import { writeSession } from './session-file.ts';
import type { TruncationJournal } from './truncation-journal.ts';
import { Uploader } from './uploader.ts';
import { join } from 'node:path';

const DEFAULT_UPLOAD_DELAY_MS = 10_000;
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_READ_AHEAD_BYTES = 32 * 1024 * 1024;

export interface SegmentedBlockCacheParts {
  readonly options: BlockCacheOptions;
  readonly store: SegmentStore;
  readonly index: BlockIndex;
  readonly space: CacheSpace;
  readonly truncations: TruncationJournal;
}

/** Made by openBlockCache. */
export class SegmentedBlockCache implements BlockCache {
  readonly blockSizeBytes: number;
  readonly #options: BlockCacheOptions;
  readonly #store: SegmentStore;
  readonly #index: BlockIndex;
  readonly #space: CacheSpace;
  readonly #sync: SegmentSync;
  readonly #truncations: TruncationJournal;
  readonly #reclaim: SegmentReclaim;
  readonly #states: BlockStates;
  readonly #downloads: Downloads;
  readonly #ids: ObjectIds;
  readonly #removals: RemovalQueue;
  readonly #uploader: Uploader;
  readonly #room: RoomMaker;
  readonly #reads: CachedReads;
  readonly #writes: CachedWrites;
  readonly #removal: RangeRemoval;
  readonly #clone: BlockClone;
  readonly #extents: FileExtents;
  readonly #readAhead: ReadAhead | undefined;

  constructor({ options, store, index, space, truncations }: SegmentedBlockCacheParts) {
    const { database, objects, log, blockSizeBytes, requestDurable } = options;
    this.blockSizeBytes = blockSizeBytes;
    this.#options = options;
    this.#store = store;
    this.#index = index;
    this.#space = space;
    const sync = new SegmentSync(store);
    const reclaim = new SegmentReclaim(store, sync, space, log);
    const states = new BlockStates({ index, store, reclaim, space, database, log });
    const damaged = new DamagedObjects({
      path: join(options.directory, 'damaged'),
      isKnown: (id) => database.blocks.hasObject(id),
      log,
    });
    const downloads = new Downloads({
      objects,
      damaged,
      limit: options.maxDownloads ?? DEFAULT_CONNECTIONS,
      log,
      patienceMs: options.readTimeoutMs ?? Infinity,
      onDamage: options.onDamage ?? (() => {}),
    });
    const ids = new ObjectIds(database, requestDurable);
    const removals = new RemovalQueue({ path: join(options.directory, 'removals'), database, objects, log });
    const uploader = new Uploader({
      index,
      store,
      sync,
      states,
      damaged,
      ids,
      removals,
      database,
      objects,
      compression: options.compression,
      log,
      delayMs: options.dirtyUploadDelayMs ?? DEFAULT_UPLOAD_DELAY_MS,
      maxUploads: options.maxUploads ?? DEFAULT_CONNECTIONS,
      onState: options.onUploadState ?? (() => {}),
    });
    const room = new RoomMaker({
      space,
      index,
      states,
      reclaim,
      uploader,
      requestDurable,
      whenStuck: options.whenStuck ?? 'wait',
      storeIsDown: options.storeIsDown ?? (() => false),
      log,
    });
    const onGrowth = (): void => room.maintain();
    const reads = new CachedReads({ index, store, states, downloads, database, onGrowth });
    const writes = new CachedWrites({ index, states, space, downloads, reads, sync, database, blockSizeBytes, onGrowth });
    const extents = new FileExtents(index, database, blockSizeBytes);
    const removal = new RangeRemoval({ index, states, writes, removals, truncations, database, blockSizeBytes });
    this.#sync = sync;
    this.#truncations = truncations;
    this.#reclaim = reclaim;
    this.#states = states;
    this.#downloads = downloads;
    this.#ids = ids;
    this.#removals = removals;
    this.#uploader = uploader;
    this.#room = room;
    this.#reads = reads;
    this.#writes = writes;
    this.#removal = removal;
    this.#extents = extents;
    this.#clone = new BlockClone({ index, states, reads, writes, removal, removals, extents, uploader, database, blockSizeBytes });
    const maxBytes = options.readAheadBytes ?? DEFAULT_READ_AHEAD_BYTES;
    if (maxBytes > 0)
      this.#readAhead = new ReadAhead({ index, store, space, downloads, database, fetched: reads, blockSizeBytes, maxBytes, onGrowth });
    states.onDirty = () => uploader.arm();
    space.onShortage = () => room.make();
    reclaim.onFreed = () => space.poke();
    uploader.onProgress = () => space.poke();
    uploader.arm();
  }

  isCached(inode: InodeId, offset: bigint, lengthBytes: number): boolean {
    return this.#reads.isCached(inode, offset, lengthBytes);
  }

  read(inode: InodeId, offset: bigint, into: Uint8Array, reader?: BlockReader): void | Promise<void> {
    if (into.length === 0) return undefined;
    if (reader && reader.fileSize > this.blockSizeBytes)
      this.#readAhead?.noteRead(reader.handle, inode, Number(offset), into.length, reader.fileSize);
    return this.#reads.read(inode, offset, into, reader?.signal);
  }

  prefetch(inode: InodeId, wanted: () => boolean): void {
    this.#readAhead?.fetchFirst(inode, wanted);
  }

  write(inode: InodeId, offset: bigint, data: Uint8Array, waiter?: BlockWaiter): void | Promise<void> {
    return this.#writes.write(inode, offset, data, waiter);
  }

  truncate(inode: InodeId, size: bigint, applied?: () => void, waiter?: BlockWaiter): void | Promise<void> {
    return this.#removal.truncate(inode, size, applied, waiter);
  }

  punch(inode: InodeId, offset: bigint, lengthBytes: bigint): void | Promise<void> {
    return this.#removal.punch(inode, offset, lengthBytes);
  }

  remove(inode: InodeId): void | Promise<void> {
    return this.#removal.remove(inode);
  }

  clone(
    source: InodeId,
    sourceOffset: bigint,
    target: InodeId,
    targetOffset: bigint,
    lengthBytes: bigint,
    options?: CloneOptions,
  ): Promise<void> {
    return this.#clone.clone(source, sourceOffset, target, targetOffset, lengthBytes, options);
  }

  seekData(inode: InodeId, offset: bigint): bigint | undefined {
    return this.#extents.seekData(inode, offset);
  }

  seekHole(inode: InodeId, offset: bigint): bigint {
    return this.#extents.seekHole(inode, offset);
  }

  allocatedBytes(inode: InodeId): bigint {
    return this.#extents.allocatedBytes(inode);
  }

  async syncLocal(inode?: InodeId): Promise<void> {
    await Promise.all([this.#sync.syncLocal(inode), this.#removals.sync()]);
  }

  async syncOrdered(): Promise<void> {
    await Promise.all([this.#sync.syncOrdered(), this.#truncations.sync(), this.#removals.sync()]);
  }

  get isOrdered(): boolean {
    return this.#sync.isOrdered && !this.#truncations.isUnsynced;
  }

  epochDurable(epoch: Epoch): void {
    this.#ids.epochDurable(epoch);
    this.#states.epochDurable(epoch);
    this.#truncations.epochDurable(epoch);
    this.#room.maintain();
    this.#space.poke();
  }

  generationComplete(epoch: Epoch): void {
    this.#removals.generationComplete(epoch);
  }

  hasDirtyBlocks(inode: InodeId): boolean {
    return this.#index.ofInode(inode).some((entry) => entry.state === 'dirty');
  }

  async flush(inode?: InodeId, options: FlushOptions = {}): Promise<void> {
    const blocks = inode === undefined ? [...this.#index.dirty] : this.#index.ofInode(inode).filter((entry) => entry.state === 'dirty');
    await flushBlocks(blocks, this.#uploader, options);
  }

  async drop(options: FlushOptions = {}): Promise<void> {
    await this.flush(undefined, options);
    // Of blocks that have gone meanwhile: they still hold their segment.
    await this.#uploader.settle();
    await this.#options.requestDurable();
    this.#room.evictAll();
    this.#reclaim.retireEmpty();
    await this.#reclaim.run();
  }

  async setLimits(limits: BlockCacheLimits): Promise<void> {
    this.#space.setLimits(limits);
    this.#room.maintain();
    this.#space.poke();
    await this.#reclaim.run();
  }

  stats(): BlockCacheStats {
    return {
      entryCount: this.#index.entryCount,
      sizeBytes: this.#space.usedBytes,
      dirtyEntryCount: this.#index.dirty.count,
      dirtySizeBytes: this.#index.dirty.sizeBytes,
      uploadingCount: this.#uploader.activeCount,
      pendingRemovalCount: this.#removals.pendingCount,
    };
  }

  /** The store went down, or is back. */
  storeStateChanged(): void {
    this.#space.poke();
  }

  /**
   * Deletes from the store what may be: everything that was given up, if the last generation has all. Once only: what fails is tried again by
   * the next mount.
   */
  async finishRemovals(options: RemovalOptions = {}): Promise<void> {
    await this.#removals.finish(options);
  }

  /** Why the last upload failed; undefined if it didn't. */
  get uploadFailure(): unknown {
    return this.#uploader.failure;
  }

  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.#uploader.stop();
    await this.#downloads.stop();
    await this.#removals.stop();
    this.#space.refuse(new FsError('EIO', 'the block cache is closed'));
    if (!keep) {
      this.#room.evictAll();
      this.#reclaim.retireEmpty();
    }
    try {
      await this.#reclaim.stop();
      await this.#sync.syncLocal(undefined);
      await this.#removals.sync();
    } finally {
      await this.#sync.settle();
      this.#truncations[Symbol.dispose]();
      this.#store[Symbol.dispose]();
    }
    writeSession(this.#options.directory, 'clean');
  }
}
