/** Linux constants: node:fs's by their own names, and those it lacks. Source: include/uapi/linux/{fcntl,fs,falloc,stat,xattr}.h, asm-generic values. */
import { constants } from 'node:fs';

export const F_OK: number = constants.F_OK;
export const R_OK: number = constants.R_OK;
export const W_OK: number = constants.W_OK;
export const X_OK: number = constants.X_OK;
export const O_RDONLY: number = constants.O_RDONLY;
export const O_WRONLY: number = constants.O_WRONLY;
export const O_RDWR: number = constants.O_RDWR;
export const O_CREAT: number = constants.O_CREAT;
export const O_EXCL: number = constants.O_EXCL;
export const O_TRUNC: number = constants.O_TRUNC;
export const O_APPEND: number = constants.O_APPEND;
export const O_NONBLOCK: number = constants.O_NONBLOCK;
export const O_SYNC: number = constants.O_SYNC;
export const O_DIRECT: number = constants.O_DIRECT;
export const O_DIRECTORY: number = constants.O_DIRECTORY;
export const O_NOFOLLOW: number = constants.O_NOFOLLOW;
export const O_NOATIME: number = constants.O_NOATIME;
export const S_IFREG: number = constants.S_IFREG;
export const S_IFDIR: number = constants.S_IFDIR;
export const S_IFLNK: number = constants.S_IFLNK;
export const S_IFIFO: number = constants.S_IFIFO;
export const S_IFCHR: number = constants.S_IFCHR;
export const S_IFBLK: number = constants.S_IFBLK;
export const S_IFSOCK: number = constants.S_IFSOCK;

export const O_PATH = 0o10000000;
/** Includes O_DIRECTORY, as the kernel demands. */
export const O_TMPFILE: number = 0o20000000 | constants.O_DIRECTORY;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;

export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

/** Longest name of a directory entry. */
export const NAME_MAX = 255;
/** Longest path handed to a system call, its closing NUL included. */
export const PATH_MAX = 4096;
