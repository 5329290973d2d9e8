/**
 * What the file system asks of the block layer: the contents of files as byte ranges, kept in a cache of limited size on local disk and,
 * some time after they changed, in the object store. Sizes of files are the caller's business: a read beyond what was ever written gives zeros.
 *
 * Methods that return MaybePromise do so synchronously when all blocks concerned are in the cache.
 */
import type { Epoch } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';

type MaybePromise<T> = T | Promise<T>;

/** Entries that a mount's cache may have if nobody says; its index takes some 300 bytes of memory for each. */
export const DEFAULT_MAX_CACHE_ENTRIES: number = 100_000;

export interface BlockCacheLimits {
  /** Bytes on local disk that cached blocks may occupy. Hard: writers wait rather than exceed it. */
  readonly sizeBytes: number;
  readonly entryCount: number;
}

export interface BlockCacheStats {
  readonly entryCount: number;
  readonly sizeBytes: number;
  readonly dirtyEntryCount: number;
  readonly dirtySizeBytes: number;
  readonly uploadingCount: number;
  /** Objects that wait to be deleted from the store until a metadata generation without them is complete. */
  readonly pendingRemovalCount: number;
}

export interface FlushProgress {
  readonly blocksDone: number;
  readonly blocksTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface FlushOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FlushProgress) => void;
}

export interface BlockReader {
  readonly handle: number;
  readonly fileSize: bigint;
  readonly signal?: AbortSignal;
}

/** Who waits for a change to be made. The signal is asked for only if there is something to wait for. */
export interface BlockWaiter {
  readonly signal: AbortSignal;
}

export interface CloneOptions {
  readonly signal?: AbortSignal;
  /**
   * So many bytes from the start of the range are the target's now. Called in the step in which they become so: whoever sets the file's size
   * there never commits the one without the other.
   */
  readonly onProgress?: (bytes: bigint) => void;
}

export interface BlockCache {
  readonly blockSizeBytes: number;

  /** Whether a read of the range would be synchronous now (all of it cached or holes): callers with a shared buffer ask before they read into it. */
  isCached(inode: InodeId, offset: bigint, lengthBytes: number): boolean;
  /**
   * Fills `into` from the file's bytes at `offset`. `handle` identifies a reader for read-ahead; `fileSize` bounds that; `signal` ends the
   * waiting for the store.
   * @throws FsError EIO (damaged, or the store did not answer in time), EINTR (aborted); then `into` is not written to any more
   */
  read(inode: InodeId, offset: bigint, into: Uint8Array, reader?: BlockReader): MaybePromise<void>;
  /** Has the beginning of a file (its first block) brought nearer for a read that will probably come, as long as it is `wanted`. Never fails. */
  prefetch(inode: InodeId, wanted: () => boolean): void;
  /** `data` is copied before the call returns or, if that is a promise, before it settles. @throws FsError ENOSPC, EIO; EINTR if the waiter is interrupted */
  write(inode: InodeId, offset: bigint, data: Uint8Array, waiter?: BlockWaiter): MaybePromise<void>;
  /**
   * Everything at or beyond `size` is gone and reads as zeros if the file grows again. The last block may have to be fetched first; `applied`
   * is called in the step in which the bytes go: whoever sets the file's size there never commits the one without the other.
   * @throws FsError EIO, ENOSPC; EINTR if the waiter is interrupted; then nothing has changed
   */
  truncate(inode: InodeId, size: bigint, applied?: () => void, waiter?: BlockWaiter): MaybePromise<void>;
  /** The range reads as zeros from now on; whole blocks inside are given up. */
  punch(inode: InodeId, offset: bigint, lengthBytes: bigint): MaybePromise<void>;
  /**
   * Target range gets the source's bytes: by reference where both offsets are block-aligned (after uploading whole blocks that are dirty), else
   * by copy. @throws FsError EIO, ENOSPC, EINTR; then what `onProgress` was told last is done
   */
  clone(
    source: InodeId,
    sourceOffset: bigint,
    target: InodeId,
    targetOffset: bigint,
    lengthBytes: bigint,
    options?: CloneOptions,
  ): Promise<void>;
  /** Gives up all blocks of an inode that nothing refers to any more; works in slices. */
  remove(inode: InodeId): MaybePromise<void>;

  /** First offset >= `offset` that lies in a stored block, or undefined. */
  seekData(inode: InodeId, offset: bigint): bigint | undefined;
  /** First offset >= `offset` that lies in a hole (possibly beyond the last block). */
  seekHole(inode: InodeId, offset: bigint): bigint;
  /** Bytes of the file that are really allocated (cached or stored). */
  allocatedBytes(inode: InodeId): bigint;

  /** Local durability of block data (not of metadata): of one inode, or of everything. */
  syncLocal(inode?: InodeId): Promise<void>;
  /** Makes durable what must not reach the disk later than the database's next epoch (blocks given up). Call before a commit that is to be durable. */
  syncOrdered(): Promise<void>;
  /** Whether there is nothing for `syncOrdered` to do. */
  readonly isOrdered: boolean;
  /** The metadata epoch is durable locally: what was given up or became clean in it may now really go. */
  epochDurable(epoch: Epoch): void;
  /** A complete metadata generation is in the store that contains the epoch: objects given up until then may be deleted. */
  generationComplete(epoch: Epoch): void;

  /** Whether the inode has blocks that are not in the store yet. */
  hasDirtyBlocks(inode: InodeId): boolean;
  /** Uploads dirty blocks (of one inode, or all that are dirty now) and links them in the database. */
  flush(inode?: InodeId, options?: FlushOptions): Promise<void>;
  /** Flushes, then empties the cache. */
  drop(options?: FlushOptions): Promise<void>;
  setLimits(limits: BlockCacheLimits): Promise<void>;
  stats(): BlockCacheStats;
  /** Waits for what is under way. `keep`: cached blocks stay for the next mount. Dirty blocks always stay. */
  close(options: { readonly keep: boolean }): Promise<void>;
}
