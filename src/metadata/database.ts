/**
 * What the layers above ask of the metadata database. All calls are synchronous and take microseconds unless they return a promise;
 * everything they change is in one open transaction until `commit`.
 */
import type { BlockIndex, DirectoryEntry, Inode, InodeId, ObjectId, StoredBlock } from './types.ts';

/** Number of a committed state: everything changed before a `commit` that returned n is in epoch n. */
export type Epoch = number;

export interface InodeTable {
  get(id: InodeId): Inode | undefined;
  /** Inserts a row with a new id. */
  create(fields: Omit<Inode, 'id'>): Inode;
  /** Writes all columns of an existing row. */
  update(inode: Inode): void;
  delete(id: InodeId): void;
  /** Inodes without a directory entry (link count 0), i.e. deleted but not purged. Scans. */
  orphans(): InodeId[];
  /** Adjusts `atimeNs` alone (hot path of reads). */
  setAtime(id: InodeId, atimeNs: bigint): void;
}

export interface EntryTable {
  lookup(parent: InodeId, name: Uint8Array): InodeId | undefined;
  /** @throws FsError EEXIST */
  insert(parent: InodeId, name: Uint8Array, inode: InodeId): void;
  /** @throws FsError ENOENT */
  remove(parent: InodeId, name: Uint8Array): void;
  /** Lets an existing entry name another inode; its cookie stays. @throws FsError ENOENT */
  replace(parent: InodeId, name: Uint8Array, inode: InodeId): void;
  /** Up to `limit` entries with cookies greater than `afterCookie` (0: from the start), in cookie order. */
  list(parent: InodeId, afterCookie: number, limit: number): DirectoryEntry[];
  /** Same, each with its inode's row. */
  listWithInodes(parent: InodeId, afterCookie: number, limit: number): Array<DirectoryEntry & { readonly attributes: Inode }>;
  isEmpty(directory: InodeId): boolean;
  /** How many of the entries listed by `list(parent, afterCookie, limit)` are directories, and where to go on (undefined: done). */
  countDirectories(parent: InodeId, afterCookie: number, limit: number): { count: number; nextCookie: number | undefined };
  /** One directory that has an entry for the inode. Fast for any number of entries only with `ensureParentIndex`. */
  parentOf(inode: InodeId): InodeId | undefined;
  /** Creates (true) or drops (false) the index on contents(inode) (`mount --nfs`). */
  setParentIndex(present: boolean): void;
}

export interface SymlinkTable {
  target(inode: InodeId): Uint8Array | undefined;
  set(inode: InodeId, target: Uint8Array): void;
  delete(inode: InodeId): void;
}

export interface XattrTable {
  get(inode: InodeId, name: Uint8Array): Uint8Array | undefined;
  set(inode: InodeId, name: Uint8Array, value: Uint8Array): void;
  /** Returns whether it was there. */
  remove(inode: InodeId, name: Uint8Array): boolean;
  removeAll(inode: InodeId): void;
  names(inode: InodeId): Uint8Array[];
  /** False only if no inode at all has any; lets callers skip look-ups. */
  any(): boolean;
}

/** `inode_blocks` and `objects`: which object holds which block of which file, with exact reference counts. */
export interface BlockTable {
  get(inode: InodeId, block: BlockIndex): StoredBlock | undefined;
  /** Rows with first <= block < end in block order, at most `limit`. */
  range(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): Array<StoredBlock & { readonly block: BlockIndex }>;
  /** Number of rows of the inode, and the sum of their lengths. */
  usage(inode: InodeId): { blockCount: number; lengthBytes: bigint };
  findByDigest(digest: Uint8Array): { objectId: ObjectId; lengthBytes: number } | undefined;
  /** Whether the object has a row, i.e. is referred to or about to be. */
  hasObject(id: ObjectId): boolean;
  /** Adds an object with reference count 0; link it in the same transaction. `storedSizeBytes` is objects.phys_size. */
  insertObject(id: ObjectId, digest: Uint8Array, lengthBytes: number, storedSizeBytes: number): void;
  /** Lets the block be held by the object: adds a reference there, takes one from the object it had before (which may be the same). */
  link(inode: InodeId, block: BlockIndex, object: ObjectId): void;
  /** Removes rows with first <= block < end, at most `limit`, and their references. Returns how many it removed. */
  unlink(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): number;
  /**
   * Lets blocks of the target, which must have none at these places, be held by the objects that hold the source's: rows with
   * first <= block < end in block order, at most `limit`. Returns where to go on, or undefined when all are done.
   */
  share(source: InodeId, target: InodeId, first: BlockIndex, end: BlockIndex, limit: number): BlockIndex | undefined;
  /** Objects whose last reference went since the last call; their rows are gone. Their keys may be deleted from the store only after a later generation is complete. */
  takeUnreferenced(): ObjectId[];
  /**
   * Hands out `count` object ids, never used before and never to be handed out again once this transaction is durable. Returns the first.
   * Ids only grow: if a later run is handed an id at or below one of these, the transaction that reserved them was lost. The block cache
   * tells by that, after a crash, which of its changes the database still knows of.
   */
  reserveObjectIds(count: number): ObjectId;
}

/** Figures of s3qlstat and statfs; kept up to date in memory, no scans after the first call. */
export interface MetadataTotals {
  readonly entryCount: number;
  readonly inodeCount: number;
  readonly objectCount: number;
  /** Sum of all inodes' sizes (may exceed 2^63). */
  readonly totalSizeBytes: bigint;
  /** Sum of objects' plaintext lengths. */
  readonly deduplicatedSizeBytes: bigint;
  /** Sum of objects' stored sizes. */
  readonly storedSizeBytes: bigint;
  readonly databaseSizeBytes: number;
}

/** Entries of one directory that follow each other, to be copied into another. */
export interface CopiedRange {
  readonly source: InodeId;
  readonly target: InodeId;
  readonly firstCookie: number;
  readonly lastCookie: number;
  /** Of the entries from the first to the last. */
  readonly count: number;
  /** Sizes of the files, together. */
  readonly sizeBytes: bigint;
}

export interface MetadataDatabase extends Disposable {
  readonly path: string;
  readonly inodes: InodeTable;
  readonly entries: EntryTable;
  readonly symlinks: SymlinkTable;
  readonly xattrs: XattrTable;
  readonly blocks: BlockTable;
  /** The epoch that what is changed now will be in: what the next `commit` returns, provided that something changed. */
  readonly openEpoch: Epoch;
  /** About how many rows were changed since the last commit; not 0 if any was. */
  readonly pendingChangeCount: number;
  /**
   * The disk is full, and commits live on what was set aside for them: only what makes room should be changed. As of the last call of `commit`,
   * which also looks whether there is room again.
   */
  readonly onReserve: boolean;
  /** Runs `operation` so that its changes happen all or not at all if it throws. Not reentrant with async work: no awaits inside. */
  atomic<T>(operation: () => T): T;
  /**
   * Copies files by reference, with their names, attributes and blocks, but unlocked: each must be a regular file with one link, no extended
   * attributes and nothing dirty. Much faster than one by one. To be called inside `atomic`. @throws if an entry exists in the target
   */
  copyFiles(range: CopiedRange): void;
  /** Writes the open transaction to the WAL (survives the death of the process, not of the machine). Returns the epoch it is in. */
  commit(): Epoch;
  /** Makes everything committed before the call durable on local storage. */
  syncCommitted(): Promise<Epoch>;
  totals(): MetadataTotals;
}
