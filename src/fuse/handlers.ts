/**
 * What the FUSE session asks of a file system: one method per request type, in terms of the kernel protocol alone.
 *
 * A method returns its reply, or a promise of it if it has to wait. What it throws or rejects with becomes the reply's errno if it has a
 * numeric `errno` (positive), else EIO and a log entry. A method that is left out is refused with ENOSYS (which the kernel remembers for
 * many requests). Node ids and file handles are numbers below 2^53: the kernel gives back what we gave it.
 * Buffers in arguments are valid only until the method returns or, if it returns a promise, until that settles.
 *
 * Source: include/uapi/linux/fuse.h, protocol 7.45.
 */
export type MaybePromise<T> = T | Promise<T>;

/** Who asks. */
export interface RequestContext {
  readonly unique: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  /** The caller's group that is the parent directory's, in requests that create; empty otherwise, absent unless from a kernel. */
  readonly supplementaryGroups?: readonly number[];
  /** Aborted when the kernel interrupts the request. Made on first use. */
  readonly signal: AbortSignal;
}

/** Attributes as the kernel wants them. Sizes in bytes, times in ns since the epoch (signed). */
export interface Attributes {
  readonly ino: number;
  readonly size: bigint;
  /** In units of 512 bytes. */
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blockSizeBytes: number;
}

/** Reply to lookup, mknod, mkdir, symlink, link and the first half of create. Node id 0 with a time-out is a cached negative entry. */
export interface EntryReply {
  readonly nodeId: number;
  readonly generation: number;
  readonly entryTimeoutMs: number;
  readonly attributesTimeoutMs: number;
  /** Absent only when nodeId is 0. */
  readonly attributes?: Attributes;
}

export interface AttributesReply {
  readonly attributesTimeoutMs: number;
  readonly attributes: Attributes;
}

export interface OpenReply {
  readonly handle: number;
  /** FOPEN_* bits. */
  readonly openFlags: number;
  /** With FOPEN_PASSTHROUGH: id from the session's registerBacking. */
  readonly backingId?: number;
}

export interface StatfsReply {
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  readonly availableBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
  readonly blockSizeBytes: number;
  readonly fragmentSizeBytes: number;
  readonly maxNameLength: number;
}

/** What SETATTR sets: only what is present changes. `'now'`: the daemon's clock. */
export interface SetAttributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: bigint;
  readonly atimeNs?: bigint | 'now';
  readonly mtimeNs?: bigint | 'now';
  readonly ctimeNs?: bigint;
  readonly handle?: number;
  /** FATTR_KILL_SUIDGID: drop setuid and setgid as for a write. */
  readonly killSuidgid: boolean;
}

export interface LockRange {
  readonly start: bigint;
  /** Inclusive; 2^63-1 is to the end of the file. */
  readonly end: bigint;
  /** F_RDLCK, F_WRLCK, F_UNLCK. */
  readonly type: number;
  readonly pid: number;
}

/** Fills a READDIR or READDIRPLUS reply; returns false, and adds nothing, when the entry does not fit. */
export interface DirectoryFiller {
  /** `nextOffset` is the cookie from which a later call goes on behind this entry; `type` is the mode's S_IFMT part. */
  add(name: Uint8Array, ino: number, type: number, nextOffset: bigint): boolean;
  /** READDIRPLUS: counts as a lookup of the entry unless nodeId is 0. */
  addPlus(name: Uint8Array, nextOffset: bigint, entry: EntryReply): boolean;
  /** READDIRPLUS only: whether an entry with a name of this many bytes fits. */
  fits(nameLengthBytes: number): boolean;
}

export interface Handlers {
  lookup?(context: RequestContext, parent: number, name: Uint8Array): MaybePromise<EntryReply>;
  /** No reply exists for forget: it must not throw. */
  forget?(node: number, count: number): void;
  getattr?(context: RequestContext, node: number, handle: number | undefined): MaybePromise<AttributesReply>;
  setattr?(context: RequestContext, node: number, set: SetAttributes): MaybePromise<AttributesReply>;
  readlink?(context: RequestContext, node: number): MaybePromise<Uint8Array>;
  symlink?(context: RequestContext, parent: number, name: Uint8Array, target: Uint8Array): MaybePromise<EntryReply>;
  mknod?(context: RequestContext, parent: number, name: Uint8Array, mode: number, rdev: number, umask: number): MaybePromise<EntryReply>;
  mkdir?(context: RequestContext, parent: number, name: Uint8Array, mode: number, umask: number): MaybePromise<EntryReply>;
  unlink?(context: RequestContext, parent: number, name: Uint8Array): MaybePromise<void>;
  rmdir?(context: RequestContext, parent: number, name: Uint8Array): MaybePromise<void>;
  /** `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT. */
  rename?(
    context: RequestContext,
    parent: number,
    name: Uint8Array,
    newParent: number,
    newName: Uint8Array,
    flags: number,
  ): MaybePromise<void>;
  link?(context: RequestContext, node: number, newParent: number, newName: Uint8Array): MaybePromise<EntryReply>;
  /** `flags` are open(2)'s. */
  open?(context: RequestContext, node: number, flags: number, openFlags: number): MaybePromise<OpenReply>;
  create?(
    context: RequestContext,
    parent: number,
    name: Uint8Array,
    mode: number,
    flags: number,
    umask: number,
  ): MaybePromise<{ entry: EntryReply; open: OpenReply }>;
  /** A file without a name in that directory (O_TMPFILE). */
  tmpfile?(
    context: RequestContext,
    parent: number,
    mode: number,
    flags: number,
    umask: number,
  ): MaybePromise<{ entry: EntryReply; open: OpenReply }>;
  /**
   * At most `size` bytes; fewer is the end of the file. The synchronous case fills `reply` (its length is `size`) and returns the count;
   * the asynchronous one resolves to bytes that are nobody else's, whose buffer is freed when they are sent. It must not touch `reply` once it
   * has returned: other replies are made there.
   */
  read?(
    context: RequestContext,
    node: number,
    handle: number,
    offset: bigint,
    size: number,
    reply: Uint8Array,
  ): number | Promise<Uint8Array>;
  /** Returns the bytes written. `writeFlags`: FUSE_WRITE_*. */
  write?(context: RequestContext, node: number, handle: number, offset: bigint, data: Uint8Array, writeFlags: number): MaybePromise<number>;
  flush?(context: RequestContext, node: number, handle: number, lockOwner: bigint): MaybePromise<void>;
  release?(node: number, handle: number, flags: number, releaseFlags: number, lockOwner: bigint): MaybePromise<void>;
  fsync?(context: RequestContext, node: number, handle: number, dataOnly: boolean): MaybePromise<void>;
  opendir?(context: RequestContext, node: number, flags: number): MaybePromise<OpenReply>;
  readdir?(context: RequestContext, node: number, handle: number, offset: bigint, filler: DirectoryFiller): MaybePromise<void>;
  readdirplus?(context: RequestContext, node: number, handle: number, offset: bigint, filler: DirectoryFiller): MaybePromise<void>;
  releasedir?(node: number, handle: number): MaybePromise<void>;
  fsyncdir?(context: RequestContext, node: number, handle: number, dataOnly: boolean): MaybePromise<void>;
  statfs?(context: RequestContext, node: number): MaybePromise<StatfsReply>;
  /** `flags`: XATTR_CREATE, XATTR_REPLACE; `killSgid`: FUSE_SETXATTR_ACL_KILL_SGID. */
  setxattr?(
    context: RequestContext,
    node: number,
    name: Uint8Array,
    value: Uint8Array,
    flags: number,
    killSgid: boolean,
  ): MaybePromise<void>;
  /** The whole value; the session answers size queries and ERANGE. */
  getxattr?(context: RequestContext, node: number, name: Uint8Array): MaybePromise<Uint8Array>;
  /** All names; the session joins them and answers size queries and ERANGE. */
  listxattr?(context: RequestContext, node: number): MaybePromise<readonly Uint8Array[]>;
  removexattr?(context: RequestContext, node: number, name: Uint8Array): MaybePromise<void>;
  access?(context: RequestContext, node: number, mask: number): MaybePromise<void>;
  getlk?(context: RequestContext, node: number, handle: number, owner: bigint, lock: LockRange): MaybePromise<LockRange>;
  /** `wait`: SETLKW, to be given up with EINTR when context.signal aborts. `flock`: FUSE_LK_FLOCK. */
  setlk?(
    context: RequestContext,
    node: number,
    handle: number,
    owner: bigint,
    lock: LockRange,
    wait: boolean,
    flock: boolean,
  ): MaybePromise<void>;
  fallocate?(context: RequestContext, node: number, handle: number, mode: number, offset: bigint, length: bigint): MaybePromise<void>;
  lseek?(context: RequestContext, node: number, handle: number, offset: bigint, whence: number): MaybePromise<bigint>;
  copyFileRange?(
    context: RequestContext,
    node: number,
    handle: number,
    offset: bigint,
    outNode: number,
    outHandle: number,
    outOffset: bigint,
    length: bigint,
    flags: bigint,
  ): MaybePromise<bigint>;
  ioctl?(
    context: RequestContext,
    node: number,
    handle: number,
    flags: number,
    command: number,
    arg: bigint,
    input: Uint8Array,
    outSize: number,
  ): MaybePromise<{ result: number; output: Uint8Array }>;
  statx?(
    context: RequestContext,
    node: number,
    handle: number | undefined,
    flags: number,
    mask: number,
  ): MaybePromise<AttributesReply & { readonly birthTimeNs?: bigint }>;
  syncfs?(context: RequestContext, node: number): MaybePromise<void>;
  /** The kernel unmounts (FUSE_DESTROY) or the device is gone. Called once. */
  destroy?(): MaybePromise<void>;
}
