/**
 * The file system: POSIX operations on inode numbers, independent of who asks (the kernel through FUSE, commands without a mount, tests).
 * Assembles the operation modules around one database and one block cache and owns the life of inodes.
 */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { DirectoryEntry, Inode, InodeId } from '../metadata/types.ts';
import { type NanosecondClock, systemClock } from '../util/clock.ts';
import { accessed } from './access-times.ts';
import { AttributeOperations } from './attribute-operations.ts';
import { attributesOf, type FileAttributes } from './attributes.ts';
import { CommitCycle } from './commit-cycle.ts';
import { type AtimePolicy, type FileSystemContext, requireInode } from './context.ts';
import { DirectoryOperations } from './directory-operations.ts';
import { FileOperations } from './file-operations.ts';
import { fileSystemStatistics, type FileSystemStatistics } from './file-system-statistics.ts';
import { InodeLifetime } from './inode-lifetime.ts';
import { InodePurge } from './inode-purge.ts';
import { ListingReadAhead } from './listing-read-ahead.ts';
import { SubdirectoryCounts } from './subdirectory-counts.ts';
import { untilAborted } from '../util/until-aborted.ts';
import { copyTree } from './tree-copy.ts';
import { lockTree } from './tree-lock.ts';
import { type EntryRemoved, removeTree } from './tree-removal.ts';
import { XattrOperations } from './xattr-operations.ts';

/** How long a change waits at most until it is durable locally without fsync. */
const DEFAULT_COMMIT_INTERVAL_MS = 5_000;

export interface FileSystemOptions {
  readonly database: MetadataDatabase;
  readonly blocks: BlockCache;
  readonly atimePolicy?: AtimePolicy;
  /** Default: as `atimePolicy`. */
  readonly directoryAtimePolicy?: AtimePolicy;
  readonly commitIntervalMs?: number;
  /** If there, fsync waits for it too, after everything is durable locally: it brings all of that to the store. */
  readonly toStore?: () => Promise<void>;
  readonly clock?: NanosecondClock;
  /** Told how each commit ended: the error, or undefined. */
  readonly onCommit?: (error: unknown) => void;
  /** Something failed that nobody waits for; it is tried again or left to the next mount. */
  readonly onBackgroundError: (error: unknown, what: string) => void;
}

export class FileSystem {
  readonly directories: DirectoryOperations;
  readonly files: FileOperations;
  readonly attributes: AttributeOperations;
  readonly xattrs: XattrOperations;
  readonly commits: CommitCycle;
  readonly #context: FileSystemContext;
  readonly #purge: InodePurge;
  readonly #toStore: (() => Promise<void>) | undefined;

  constructor(options: FileSystemOptions) {
    const { database, blocks } = options;
    this.#toStore = options.toStore;
    this.#purge = new InodePurge(database, blocks, (id, error) => options.onBackgroundError(error, `purging inode ${id}`));
    this.commits = new CommitCycle({
      database,
      blocks,
      intervalMs: options.commitIntervalMs ?? DEFAULT_COMMIT_INTERVAL_MS,
      onError: (error) => options.onBackgroundError(error, 'committing'),
      ...(options.onCommit === undefined ? {} : { onOutcome: options.onCommit }),
    });
    this.#context = {
      database,
      blocks,
      commits: this.commits,
      clock: options.clock ?? systemClock(),
      atimePolicy: options.atimePolicy ?? 'relatime',
      directoryAtimePolicy: options.directoryAtimePolicy ?? options.atimePolicy ?? 'relatime',
      lifetime: new InodeLifetime((id) => this.#purge.purge(id)),
      listingReadAhead: new ListingReadAhead(database, blocks),
      subdirectories: new SubdirectoryCounts(database.entries),
    };
    this.directories = new DirectoryOperations(this.#context);
    this.files = new FileOperations(this.#context);
    this.attributes = new AttributeOperations(this.#context, this.files);
    this.xattrs = new XattrOperations(this.#context);
  }

  /** Purges what was deleted but still open when the last mount ended. Call once before anything else. */
  purgeOrphans(): void {
    for (const id of this.#context.database.inodes.orphans()) this.#purge.purge(id);
  }

  inode(id: InodeId): Inode {
    return requireInode(this.#context, id);
  }

  stat(inode: Inode): FileAttributes | Promise<FileAttributes> {
    return attributesOf(this.#context, inode);
  }

  /** Entries behind the cookie, in cookie order, with their inodes. Counts as a read of the directory. */
  list(directory: InodeId, afterCookie: number, limit: number): Array<DirectoryEntry & { readonly attributes: Inode }> {
    accessed(this.#context, requireInode(this.#context, directory));
    const entries = this.#context.database.entries.listWithInodes(directory, afterCookie, limit);
    this.#context.listingReadAhead.noteListed(directory, entries);
    return entries;
  }

  parentOf(directory: InodeId): InodeId | undefined {
    return this.#context.lifetime.parentOf(directory) ?? this.#context.database.entries.parentOf(directory);
  }

  /** An entry was told to the kernel by a directory listing. */
  addLookup(id: InodeId, parentIfDirectory?: InodeId): void {
    this.#context.lifetime.addLookup(id, parentIfDirectory);
  }

  forget(id: InodeId, count: number): void {
    this.#context.lifetime.forget(id, count);
  }

  statistics(): FileSystemStatistics {
    return fileSystemStatistics(this.#context.database.totals(), this.#context.blocks.stats().dirtySizeBytes);
  }

  /** s3qlcp: see tree-copy.ts. */
  copyTree(source: InodeId, target: InodeId, onCopied?: (entryCount: number) => void): Promise<void> {
    return copyTree(this.#context, source, target, onCopied);
  }

  /** s3qllock: see tree-lock.ts. */
  lockTree(top: InodeId): Promise<void> {
    return lockTree(this.#context, top);
  }

  /** s3qlrm: see tree-removal.ts. */
  removeTree(parent: InodeId, name: Uint8Array, onRemoved: EntryRemoved): Promise<void> {
    return removeTree(this.#context, parent, name, onRemoved);
  }

  /** fsync(2): data and metadata of the file are durable when this resolves. @throws FsError EIO; EINTR if aborted while it waits for the store */
  async sync(id?: InodeId, signal?: AbortSignal): Promise<void> {
    await this.commits.sync(id);
    if (this.#toStore !== undefined) await untilAborted(this.#toStore(), signal);
  }

  /** Ends all work: orphans are purged, everything is committed and durable locally. Uploading is the caller's next step. */
  async finish(): Promise<void> {
    this.commits.stop();
    this.#context.lifetime.forgetAll();
    await this.#purge.finish();
    await this.commits.sync();
  }
}
