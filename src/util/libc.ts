/**
 * System calls that Node lacks, by koffi: one typed function per call. A failed call throws (or rejects with) a SystemCallError; EINTR is
 * retried. Functions that return a promise run on libuv's thread pool, so a call that may block for long belongs there only if few run
 * at once; the others run on the calling thread.
 *
 * Descriptors are plain numbers; offsets and lengths are bytes below 2^53, or BigInt.
 * Sources: the manual pages of section 2 of the same names; constants from the kernel's uapi headers (values of x86-64 and arm64).
 */
import { constants as fsConstants } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';
import { addressOf } from './address-of.ts';
import { SystemCallError } from './system-call-error.ts';

export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;

export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

export const SYNC_FILE_RANGE_WRITE = 2;

export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

const { EAGAIN, EINTR } = constants.errno;

type Arguments = readonly (number | bigint | string | NodeJS.ArrayBufferView | null)[];
type Result = number | bigint;

// Symbols of the running process: Node is linked to the C library dynamically.
const libc = koffi.load(null);

interface Call {
  (...args: Arguments): Result;
  async(...args: [...Arguments, (error: Error | null, result: Result) => void]): void;
}

function bind(prototype: string): Call {
  return libc.func(prototype) as Call;
}

/** A call whose negative result means failure. */
function checked(name: string, call: Call, ...args: Arguments): number {
  for (;;) {
    const result = Number(call(...args));
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new SystemCallError(name, errno);
  }
}

async function checkedAsync(name: string, call: Call, ...args: Arguments): Promise<number> {
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<{ result: number; errno: number }>();
    call.async(...args, (error, result) => {
      // koffi restores the pool thread's errno for the length of this callback.
      const errno = koffi.errno();
      if (error) reject(error);
      else resolve({ result: Number(result), errno });
    });
    const { result, errno } = await promise;
    if (result >= 0) return result;
    if (errno !== EINTR) throw new SystemCallError(name, errno);
  }
}

const fallocateCall = bind('int fallocate(int, int, int64_t, int64_t)');

/** Reserves, punches out or zeroes a range of a file; `mode` is FALLOC_FL_* bits, 0 to reserve. */
export function fallocateSync(fd: number, mode: number, offset: number | bigint, length: number | bigint): void {
  checked('fallocate', fallocateCall, fd, mode, offset, length);
}

/** As fallocateSync. */
export async function fallocate(fd: number, mode: number, offset: number | bigint, length: number | bigint): Promise<void> {
  await checkedAsync('fallocate', fallocateCall, fd, mode, offset, length);
}

const flockCall = bind('int flock(int, int)');

/** Locks or unlocks an open file: LOCK_*. With LOCK_NB a lock that another holds throws EAGAIN; without it the thread waits. */
export function flockSync(fd: number, operation: number): void {
  checked('flock', flockCall, fd, operation);
}

const lseekCall = bind('int64_t lseek(int, int64_t, int)');

/** Moves a descriptor's position, or finds data or holes (SEEK_DATA, SEEK_HOLE; ENXIO behind the last). Returns the offset. */
export function lseekSync(fd: number, offset: number | bigint, whence: number): number {
  return checked('lseek', lseekCall, fd, offset, whence);
}

const syncfsCall = bind('int syncfs(int)');

/** Writes everything dirty in the file system that holds `fd` to disk. */
export async function syncfs(fd: number): Promise<void> {
  await checkedAsync('syncfs', syncfsCall, fd);
}

const syncFileRangeCall = bind('int sync_file_range(int, int64_t, int64_t, unsigned int)');

/**
 * Starts, or waits for, write-back of a range of a file (SYNC_FILE_RANGE_*; length 0 is to the end). Gives no durability: neither the
 * file's metadata nor the disk's cache are flushed.
 */
export function syncFileRangeSync(fd: number, offset: number | bigint, length: number | bigint, flags: number): void {
  checked('sync_file_range', syncFileRangeCall, fd, offset, length, flags);
}

/** As syncFileRangeSync. */
export async function syncFileRange(fd: number, offset: number | bigint, length: number | bigint, flags: number): Promise<void> {
  await checkedAsync('sync_file_range', syncFileRangeCall, fd, offset, length, flags);
}

const readCall = bind('int64_t read(int, void *, size_t)');

/** Reads into a buffer from a non-blocking descriptor. Returns the bytes read, -1 if there are none yet (EAGAIN). */
export function readSync(fd: number, buffer: Uint8Array): number {
  for (;;) {
    const result = readCall(fd, buffer, buffer.length) as number;
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno === EAGAIN) return -1;
    if (errno !== EINTR) throw new SystemCallError('read', errno);
  }
}

const writeCall = bind('int64_t write(int, void *, size_t)');

/** Writes the first `lengthBytes` of a buffer. Returns the bytes written. */
export function writeSync(fd: number, buffer: Uint8Array, lengthBytes: number): number {
  for (;;) {
    const result = writeCall(fd, buffer, lengthBytes) as number;
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new SystemCallError('write', errno);
  }
}

const posixFadviseCall = bind('int posix_fadvise(int, int64_t, int64_t, int)');
const POSIX_FADV_WILLNEED = 3;

/** Has the kernel begin to read a part of a file. A hint: errors don't matter. */
export function fileWillNeed(fd: number, offset: number, lengthBytes: number): void {
  posixFadviseCall(fd, offset, lengthBytes, POSIX_FADV_WILLNEED);
}

const ioctlCall = bind('int ioctl(int, unsigned long, ...)');

/** An ioctl(2) whose argument is a structure; returns the call's result. */
export function ioctlSync(fd: number, request: number, argument: NodeJS.ArrayBufferView): number {
  for (;;) {
    const result = ioctlCall(fd, request, 'void *', argument) as number;
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new SystemCallError('ioctl', errno);
  }
}

const fcntlCall = bind('int fcntl(int, int, ...)');
const F_GETFL = 3;
const F_SETFL = 4;

/** Makes reads and writes of an open file description fail with EAGAIN instead of waiting. */
export function setNonBlockingSync(fd: number): void {
  const flags = checked('fcntl', fcntlCall, fd, F_GETFL, 'int', 0);
  checked('fcntl', fcntlCall, fd, F_SETFL, 'int', flags | fsConstants.O_NONBLOCK);
}

export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_DIRSYNC = 0x80;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;

const mountCall = bind('int mount(const char *, const char *, const char *, unsigned long, const char *)');

/** Mounts a file system; `flags` are MS_* bits, `data` the file system's own options. */
export async function mount(source: string, target: string, type: string, flags: number, data: string): Promise<void> {
  await checkedAsync('mount', mountCall, source, target, type, flags, data);
}

export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

const umountCall = bind('int umount2(const char *, int)');

/** Unmounts what is mounted on top at `target`. */
export async function umount(target: string, flags: number): Promise<void> {
  await checkedAsync('umount2', umountCall, target, flags);
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x8_0000;

const socketpairCall = bind('int socketpair(int, int, int, _Out_ void *)');

/** A pair of connected Unix stream sockets, closed in programs that this one starts. */
export function socketpairSync(): readonly [number, number] {
  const pair = new Int32Array(2);
  checked('socketpair', socketpairCall, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  return [pair[0] ?? -1, pair[1] ?? -1];
}

const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** struct cmsghdr (16 bytes) and one descriptor, padded. */
const CONTROL_BYTES = 24;

const recvmsgCall = bind('int64_t recvmsg(int, void *, int)');

/** Takes a descriptor that another process sent through a Unix socket, without waiting; undefined if the message has none. */
export function receiveDescriptorSync(socket: number): number | undefined {
  const data = new Uint8Array(1);
  const vector = BigUint64Array.of(addressOf(data), 1n);
  const control = new Int32Array(CONTROL_BYTES / 4);
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags.
  const header = BigUint64Array.of(0n, 0n, addressOf(vector), 1n, addressOf(control), BigInt(CONTROL_BYTES), 0n);
  checked('recvmsg', recvmsgCall, socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const [, , level, type, descriptor] = control;
  return (header[5] ?? 0n) > 0n && level === SOL_SOCKET && type === SCM_RIGHTS ? descriptor : undefined;
}
