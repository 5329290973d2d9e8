/**
 * System calls that Node lacks, by koffi: one typed function per call. A failed call throws (or rejects with) a SystemCallError; EINTR is
 * retried. Functions that return a promise run on libuv's thread pool, so a call that may block for long belongs there only if few run
 * at once; the others run on the calling thread.
 *
 * Descriptors are plain numbers; offsets and lengths are bytes below 2^53, or BigInt.
 * Sources: the manual pages of section 2 of the same names; constants from the kernel's uapi headers (values of x86-64 and arm64).
 */
import koffi from 'koffi';
import { SystemCallError } from './system-call-error.ts';

export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;
export const FALLOC_FL_UNSHARE_RANGE = 0x40;

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;

export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

const EINTR = 4;

type Arguments = readonly (number | bigint | string | Uint8Array | null)[];
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
