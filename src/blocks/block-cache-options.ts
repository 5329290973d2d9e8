/** What a block cache is opened with. */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { BlockIndex, InodeId } from '../metadata/types.ts';
import type { ObjectKey } from '../backends/backend.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BlockCacheLimits } from './block-cache.ts';

export interface BlockCacheLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error: unknown): void;
}

/** A block whose object is missing or damaged in the store. */
export interface BlockDamage {
  readonly inode: InodeId;
  readonly block: BlockIndex;
  readonly key: ObjectKey;
  readonly error: unknown;
}

/** What the cache uses of the database. Its methods must not be called inside `atomic`: a rollback would not reach the cache. */
export type BlockDatabase = Pick<MetadataDatabase, 'blocks' | 'atomic' | 'openEpoch' | 'pendingChangeCount'> & {
  readonly inodes: Pick<MetadataDatabase['inodes'], 'get'>;
};

export interface BlockCacheOptions {
  /**
   * Directory for the segments, created if missing. Belongs to this file system and to the local database that it is opened with: whoever
   * replaces that by another state than its own last one must delete the directory first.
   */
  readonly directory: string;
  /** Data block size of the file system. */
  readonly blockSizeBytes: number;
  readonly database: BlockDatabase;
  readonly objects: Pick<ObjectStore, 'hash' | 'put' | 'get' | 'deleteMany'>;
  /** A size below that of two blocks (with their segments' headers) counts as that. */
  readonly limits: BlockCacheLimits;
  readonly compression: CompressionSpec;
  /** Makes all changes of the database durable soon, with `epochDurable` called before it resolves. */
  readonly requestDurable: () => Promise<void>;
  readonly log: BlockCacheLog;
  /** A block is uploaded this long after its last change. Default 10 s. */
  readonly dirtyUploadDelayMs?: number;
  /** Default 8. */
  readonly maxUploads?: number;
  /** Default 8. */
  readonly maxDownloads?: number;
  /** How long reads wait for the store. Default: for ever. */
  readonly readTimeoutMs?: number;
  /** When the cache is full and uploads fail, or the store is down: writers wait (default) or get ENOSPC. */
  readonly whenStuck?: 'wait' | 'fail';
  /** Whether the store does not answer; default: never. Call `storeStateChanged` when that changes. */
  readonly storeIsDown?: () => boolean;
  /** Free space that is left on the cache's disk. Default 128 MiB. */
  readonly diskReserveBytes?: number;
  /** Default 256. */
  readonly maxOpenSegments?: number;
  /** Most that is fetched ahead of one reader; 0 turns read-ahead off. Default 32 MiB. */
  readonly readAheadBytes?: number;
  readonly onDamage?: (damage: BlockDamage) => void;
  /** An upload failed (the error), or the first one after that succeeded (undefined). */
  readonly onUploadState?: (error: unknown) => void;
}
