/** Bits in requests and replies. Source: include/uapi/linux/fuse.h (7.45), where each has the prefix named here. */

/** FATTR_: what SETATTR sets. */
export const SetattrFlag = {
  MODE: 0x1,
  UID: 0x2,
  GID: 0x4,
  SIZE: 0x8,
  ATIME: 0x10,
  MTIME: 0x20,
  FH: 0x40,
  ATIME_NOW: 0x80,
  MTIME_NOW: 0x100,
  LOCKOWNER: 0x200,
  CTIME: 0x400,
  KILL_SUIDGID: 0x800,
} as const;

/** FOPEN_: in replies to OPEN, CREATE and OPENDIR, how the kernel treats the open file. */
export const OpenReplyFlag = {
  /** Past the page cache. */
  DIRECT_IO: 0x1,
  /** The page cache stays as it is at open. */
  KEEP_CACHE: 0x2,
  NONSEEKABLE: 0x4,
  /** READDIR's replies may be cached. */
  CACHE_DIR: 0x8,
  /** No file position at all. */
  STREAM: 0x10,
  /** No FLUSH at close. */
  NOFLUSH: 0x20,
  PARALLEL_DIRECT_WRITES: 0x40,
  /** Reads and writes go to the backing file. */
  PASSTHROUGH: 0x80,
} as const;

/** FUSE_OPEN_: in OPEN and CREATE. */
export const OpenFlag = { KILL_SUIDGID: 0x1 } as const;

/** FUSE_GETATTR_: in GETATTR and STATX. */
export const GetattrFlag = { FH: 0x1 } as const;

/** FUSE_LK_: in GETLK, SETLK and SETLKW. */
export const LockFlag = { FLOCK: 0x1 } as const;

/** FUSE_WRITE_: in WRITE. */
export const WriteFlag = {
  /** From the page cache: the file handle is a guess. */
  CACHE: 0x1,
  LOCKOWNER: 0x2,
  KILL_SUIDGID: 0x4,
} as const;

/** FUSE_FSYNC_: in FSYNC and FSYNCDIR. */
export const FsyncFlag = { FDATASYNC: 0x1 } as const;

/** FUSE_SETXATTR_: in the extended form of SETXATTR. */
export const SetxattrFlag = { ACL_KILL_SGID: 0x1 } as const;

/** In a notification of an entry: let it expire instead of dropping it (FUSE_EXPIRE_ONLY). */
export const EXPIRE_ONLY = 0x1;

/** Type of a request's extension with supplementary groups (FUSE_EXT_GROUPS); types below it are security contexts. */
export const EXTENSION_GROUPS = 32;
