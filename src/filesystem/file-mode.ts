/** The bits of st_mode (man 7 inode) and the questions the file system asks of them. */
export const S_IFMT = 0o170000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_IXGRP = 0o010;
export const PERMISSION_BITS = 0o7777;

export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

export function isRegularFile(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

export function isSymlink(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

/** What is left of a regular file's mode after a change of owner or content by someone without CAP_FSETID: no setuid, no effective setgid. */
export function withoutSetIdBits(mode: number): number {
  const withoutSetuid = mode & ~S_ISUID;
  return (withoutSetuid & S_IXGRP) === 0 ? withoutSetuid : withoutSetuid & ~S_ISGID;
}
