/**
 * Disk space set aside for the WAL beyond its end, and for its index: when other programs have taken all that was free, there is still room to
 * commit that files were deleted, which is what makes room again. The space belongs to SQLite's own files (fallocate(2) beyond the end of
 * the file), so nobody can be faster. Where the disk's file system cannot do that there is no reserve.
 *
 * The descriptor of the index is closed after SQLite closed it: closing any descriptor of a file drops all POSIX locks that the process has on it.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { FALLOC_FL_KEEP_SIZE, fallocateSync } from '../util/libc.ts';
import { isUnsupported } from '../util/system-call-error.ts';

/** Room for the largest commit that the commit cycle makes while the reserve is whole. */
export const WAL_RESERVE_BYTES: number = 48 * 1024 * 1024;
/** The WAL's index: 8 bytes for each frame, enough for a WAL of 512 MiB. */
const INDEX_BYTES = 1024 * 1024;
/** Allocated at once, so that it is seldom necessary. */
const STEP_BYTES = 8 * 1024 * 1024;
const BLOCK_BYTES = 512;

export class WalReserve implements Disposable {
  readonly #walFd: number;
  readonly #indexFd: number;
  #isSupported = true;
  #isWhole = true;

  /** To be made when SQLite has opened both files. */
  constructor(databasePath: string) {
    this.#walFd = openSync(`${databasePath}-wal`, 'r+');
    this.#indexFd = openSync(`${databasePath}-shm`, 'r+');
  }

  /** False: the disk is full, and what was set aside is in use. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What can be written to the WAL without taking anything from the disk, if its last frame ends at `usedBytes`. */
  leftBytes(usedBytes: number): number {
    return this.#isSupported ? Math.max(0, fstatSync(this.#walFd).blocks * BLOCK_BYTES - usedBytes) : 0;
  }

  /** Takes from the disk what the reserve lacks, if it can be had. */
  refill(usedBytes: number): void {
    if (!this.#isSupported) return;
    try {
      if (this.leftBytes(usedBytes) < WAL_RESERVE_BYTES) {
        fallocateSync(this.#walFd, FALLOC_FL_KEEP_SIZE, 0, Math.ceil((usedBytes + WAL_RESERVE_BYTES) / STEP_BYTES) * STEP_BYTES);
      }
      if (fstatSync(this.#indexFd).blocks * BLOCK_BYTES < INDEX_BYTES) fallocateSync(this.#indexFd, FALLOC_FL_KEEP_SIZE, 0, INDEX_BYTES);
      this.#isWhole = true;
    } catch (error) {
      if (isUnsupported(error)) this.#isSupported = false;
      else this.#isWhole = false;
    }
  }

  /** To be called after the last connection was closed. */
  [Symbol.dispose](): void {
    closeSync(this.#walFd);
    closeSync(this.#indexFd);
  }
}
