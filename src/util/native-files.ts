/**
 * Calls on files of this machine that Node lacks, by koffi: extended attributes without following symbolic links, times in nanoseconds, special
 * files. Paths are bytes, as the kernel has them. They run on the calling thread. Sources: lgetxattr(2), llistxattr(2), lsetxattr(2),
 * utimensat(2), mknod(2).
 */
import koffi from 'koffi';
import { SystemCallError } from './system-call-error.ts';

const libc = koffi.load(null);

type Call = (...args: readonly (Uint8Array | BigInt64Array | number | bigint | null)[]) => number | bigint;

const llistxattrCall = libc.func('int64_t llistxattr(const void *, void *, size_t)') as Call;
const lgetxattrCall = libc.func('int64_t lgetxattr(const void *, const void *, void *, size_t)') as Call;
const lsetxattrCall = libc.func('int lsetxattr(const void *, const void *, const void *, size_t, int)') as Call;
const utimensatCall = libc.func('int utimensat(int, const void *, const void *, int)') as Call;
const mknodCall = libc.func('int mknod(const void *, unsigned int, uint64_t)') as Call;

/** XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel. */
const MAX_XATTR_BYTES = 65_536;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const NS_PER_SECOND = 1_000_000_000n;

/** One for all: these calls are synchronous. */
const buffer = Buffer.alloc(MAX_XATTR_BYTES);

/** Names of all extended attributes of the file itself. @throws SystemCallError */
export function listXattrsSync(path: Uint8Array): Buffer[] {
  const length = checked('llistxattr', llistxattrCall(cString(path), buffer, buffer.length));
  const names: Buffer[] = [];
  for (let start = 0; start < length;) {
    const end = buffer.indexOf(0, start);
    names.push(Buffer.from(buffer.subarray(start, end)));
    start = end + 1;
  }
  return names;
}

/** @throws SystemCallError */
export function getXattrSync(path: Uint8Array, name: Uint8Array): Buffer {
  const length = checked('lgetxattr', lgetxattrCall(cString(path), cString(name), buffer, buffer.length));
  return Buffer.from(buffer.subarray(0, length));
}

/** Creates or replaces. @throws SystemCallError */
export function setXattrSync(path: Uint8Array, name: Uint8Array, value: Uint8Array): void {
  // koffi has no pointer to an empty buffer.
  const bytes = value.length === 0 ? Buffer.alloc(1) : value;
  checked('lsetxattr', lsetxattrCall(cString(path), cString(name), bytes, value.length, 0));
}

/** Sets the times of the file itself, in ns since the epoch. @throws SystemCallError */
export function setTimesSync(path: Uint8Array, atimeNs: bigint, mtimeNs: bigint): void {
  const times = BigInt64Array.from([...timespec(atimeNs), ...timespec(mtimeNs)]);
  checked('utimensat', utimensatCall(AT_FDCWD, cString(path), times, AT_SYMLINK_NOFOLLOW));
}

/** Makes a file of any type; `mode` has the type, `device` is as in st_rdev. @throws SystemCallError */
export function makeNodeSync(path: Uint8Array, mode: number, device: number): void {
  checked('mknod', mknodCall(cString(path), mode, device));
}

function timespec(timeNs: bigint): [bigint, bigint] {
  // Nanoseconds count up, also before 1970.
  const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return [(timeNs - nanoseconds) / NS_PER_SECOND, nanoseconds];
}

function cString(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

function checked(name: string, result: number | bigint): number {
  if (Number(result) < 0) throw new SystemCallError(name, koffi.errno());
  return Number(result);
}
