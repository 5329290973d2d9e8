/**
 * The bytes that the cache has on local disk, and who waits for some. `usedBytes` never exceeds the limit except by lowering the limit: takers
 * ask first, and bytes count as used until they are really freed. A reserve is left free on the disk itself.
 *
 * Nothing here frees anything: `onShortage` is called whenever somebody waits, and everybody who waits tries again after `poke`.
 */
import { statfsSync } from 'node:fs';
import { FsError } from '../util/errors.ts';
import { untilAborted } from '../util/until-aborted.ts';
import type { BlockCacheLimits } from './block-cache.ts';

/** So much may be taken between two looks at the disk's free space. */
const DISK_CHECK_BYTES = 16 * 1024 * 1024;

export interface SpaceNeed {
  readonly bytes: number;
  readonly entries: number;
}

interface Waiter {
  readonly need: SpaceNeed;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface CacheSpaceOptions {
  readonly directory: string;
  readonly diskReserveBytes: number;
  /** The least that the limit can be: one block of each class with its segment. */
  readonly minimumBytes: number;
  readonly limits: BlockCacheLimits;
}

export class CacheSpace {
  readonly #options: CacheSpaceOptions;
  #sizeLimitBytes = 0;
  #entryLimit = 0;
  #usedBytes = 0;
  #entryCount = 0;
  #diskFreeBytes = 0;
  #takenSinceCheckBytes = Infinity;
  #waiters: Waiter[] = [];
  /** Called when somebody starts to wait. */
  onShortage: () => void = () => {};

  constructor(options: CacheSpaceOptions) {
    this.#options = options;
    this.setLimits(options.limits);
    this.checkDisk();
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get sizeLimitBytes(): number {
    return this.#sizeLimitBytes;
  }

  get entryLimit(): number {
    return this.#entryLimit;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get waiting(): boolean {
    return this.#waiters.length > 0;
  }

  setLimits(limits: BlockCacheLimits): void {
    this.#sizeLimitBytes = Math.max(limits.sizeBytes, this.#options.minimumBytes);
    this.#entryLimit = Math.max(limits.entryCount, 2);
  }

  /** Bytes that may still be taken: within the limit and the disk's free space less the reserve. Negative: so many too many. */
  get availableBytes(): number {
    return Math.min(
      this.#sizeLimitBytes - this.#usedBytes,
      this.#diskFreeBytes - this.#takenSinceCheckBytes - this.#options.diskReserveBytes,
    );
  }

  get availableEntries(): number {
    return this.#entryLimit - this.#entryCount;
  }

  fits(need: SpaceNeed): boolean {
    return need.bytes <= this.availableBytes && need.entries <= this.availableEntries;
  }

  /** Takes what is needed, all or nothing. Growth by nothing always succeeds. */
  tryTake(bytes: number, entries: number): boolean {
    if (bytes <= 0 && entries <= 0) return true;
    if (this.#takenSinceCheckBytes > DISK_CHECK_BYTES) this.checkDisk();
    if (bytes > this.availableBytes || entries > this.availableEntries) return false;
    this.take(bytes, entries);
    return true;
  }

  /** Takes without asking: for what is on disk already. */
  take(bytes: number, entries: number): void {
    this.#usedBytes += bytes;
    this.#takenSinceCheckBytes += bytes;
    this.#entryCount += entries;
  }

  /** Gives back. Call `poke` when done. */
  release(bytes: number, entries: number): void {
    this.#usedBytes -= bytes;
    this.#takenSinceCheckBytes -= bytes;
    this.#entryCount -= entries;
  }

  /** Looks at the disk's free space anew. */
  checkDisk(): void {
    const { bavail, bsize } = statfsSync(this.#options.directory);
    this.#diskFreeBytes = bavail * bsize;
    this.#takenSinceCheckBytes = 0;
  }

  /** Resolves when there may be room; the caller tries again. @throws FsError ENOSPC if there won't be any; EINTR if aborted */
  async wait(bytes: number, entries: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { need: { bytes, entries }, resolve, reject };
    this.#waiters.push(waiter);
    this.onShortage();
    try {
      await untilAborted(promise, signal);
    } catch (error) {
      // If aborted; and others may fit without it.
      if (this.#waiters.includes(waiter)) {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.poke();
      }
      throw error;
    }
  }

  /** What all who wait need together. */
  wanted(): SpaceNeed {
    let bytes = 0;
    let entries = 0;
    for (const { need } of this.#waiters) {
      bytes += need.bytes;
      entries += need.entries;
    }
    return { bytes, entries };
  }

  /** Something changed: whoever waits and now fits goes on, the others ask for room again. */
  poke(): void {
    if (this.#waiters.length === 0) return;
    this.checkDisk();
    let bytes = this.availableBytes;
    let entries = this.availableEntries;
    while (true) {
      const first = this.#waiters[0];
      if (!first || first.need.bytes > bytes || first.need.entries > entries) break;
      bytes -= first.need.bytes;
      entries -= first.need.entries;
      this.#waiters.shift();
      first.resolve();
    }
    if (this.#waiters.length > 0) this.onShortage();
  }

  /** There will be no room: ENOSPC, unless the cause has an errno of its own. */
  refuse(cause?: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    const error = cause instanceof FsError ? cause : new FsError('ENOSPC', 'the block cache is full', { cause });
    for (const waiter of waiters) waiter.reject(error);
  }
}
