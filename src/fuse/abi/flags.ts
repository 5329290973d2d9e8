/** Bits in requests and replies. Source: include/uapi/linux/fuse.h (7.45). */

/** What SETATTR sets. */
export const FATTR_MODE = 0x1;
export const FATTR_UID = 0x2;
export const FATTR_GID = 0x4;
export const FATTR_SIZE = 0x8;
export const FATTR_ATIME = 0x10;
export const FATTR_MTIME = 0x20;
export const FATTR_FH = 0x40;
export const FATTR_ATIME_NOW = 0x80;
export const FATTR_MTIME_NOW = 0x100;
export const FATTR_CTIME = 0x400;
export const FATTR_KILL_SUIDGID = 0x800;

/** Reply to OPEN, CREATE, OPENDIR: how the kernel treats the open file. */
export const FOPEN_DIRECT_IO = 0x1;
export const FOPEN_KEEP_CACHE = 0x2;
export const FOPEN_NONSEEKABLE = 0x4;
export const FOPEN_CACHE_DIR = 0x8;
export const FOPEN_STREAM = 0x10;
export const FOPEN_NOFLUSH = 0x20;
export const FOPEN_PARALLEL_DIRECT_WRITES = 0x40;
export const FOPEN_PASSTHROUGH = 0x80;

export const FUSE_GETATTR_FH = 0x1;
export const FUSE_OPEN_KILL_SUIDGID = 0x1;
export const FUSE_RELEASE_FLUSH = 0x1;
export const FUSE_RELEASE_FLOCK_UNLOCK = 0x2;
export const FUSE_LK_FLOCK = 0x1;
export const FUSE_WRITE_CACHE = 0x1;
export const FUSE_WRITE_LOCKOWNER = 0x2;
export const FUSE_WRITE_KILL_SUIDGID = 0x4;
export const FUSE_FSYNC_FDATASYNC = 0x1;
export const FUSE_SETXATTR_ACL_KILL_SGID = 0x1;

/** In a notification of an entry: let it expire instead of dropping it. */
export const FUSE_EXPIRE_ONLY = 0x1;

/** Type of a request's extension with supplementary groups; types below it are security contexts. */
export const FUSE_EXT_GROUPS = 32;
