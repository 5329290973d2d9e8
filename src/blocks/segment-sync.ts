/**
 * Makes segments durable, off the main thread. Callers that come while a sync of the same segment runs share the next one.
 *
 * A block that has older content in the store is `provisional` until its data is durable: after a power cut its record could be there
 * without the data, and the older content would be lost. So its record is confirmed after the first fdatasync, and a second one makes that durable.
 */
import { fdatasync, fsync, open, close } from 'node:fs';
import { promisify } from 'node:util';
import type { InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { SYNC_FILE_RANGE_WRITE, syncFileRange } from '../util/libc.ts';
import type { Segment } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';

/** Write-back of a stream starts this early, so that the fsync at its end is short. */
const WRITE_BACK_BYTES = 8 * 1024 * 1024;
const REWRITE_BYTES = 1024 * 1024;

const fdatasyncAsync = promisify(fdatasync);

interface Run {
  readonly done: Promise<void>;
  readonly inodes: ReadonlySet<InodeId>;
  readonly orderCritical: boolean;
  next: Promise<void> | undefined;
}

function isOrderCritical(segment: Segment, run: Run | undefined): boolean {
  return segment.orderCritical || (run?.orderCritical ?? false);
}

export class SegmentSync {
  readonly #store: SegmentStore;
  readonly #runs = new Map<Segment, Run>();
  readonly #writingBack = new Set<Segment>();
  #directorySync: Promise<void> | undefined;

  constructor(store: SegmentStore) {
    this.#store = store;
  }

  /** Makes durable what was written to the segment before the call. @throws FsError EIO */
  sync(segment: Segment): Promise<void> {
    const run = this.#runs.get(segment);
    if (run) return (run.next ??= run.done.catch(() => undefined).then(() => this.sync(segment)));
    if (segment.syncedNumber === segment.writeNumber && segment.entryDurable) return Promise.resolve();
    const inodes = segment.takeUnsyncedInodes();
    const { orderCritical } = segment;
    segment.orderCritical = false;
    const done = this.#run(segment).then(
      () => {
        this.#runs.delete(segment);
        if (segment.syncedNumber === segment.writeNumber) this.#store.unsynced.delete(segment);
      },
      (error: unknown) => {
        this.#runs.delete(segment);
        segment.suspect = true;
        segment.orderCritical ||= orderCritical;
        for (const inode of inodes) segment.unsyncedInodes.add(inode);
        throw new FsError('EIO', `cannot write ${segment.path} to disk`, { cause: error });
      },
    );
    this.#runs.set(segment, { done, inodes, orderCritical, next: undefined });
    return done;
  }

  /** Whether everything is durable that must not be later than the database's next epoch. */
  get isOrdered(): boolean {
    for (const segment of this.#store.unsynced) if (isOrderCritical(segment, this.#runs.get(segment))) return false;
    return true;
  }

  /** Makes an inode's blocks durable (or all), and whatever else must not come later than the database's next epoch. @throws FsError EIO */
  async syncLocal(inode: InodeId | undefined): Promise<void> {
    await this.#syncWhere((segment, run) => {
      if (inode === undefined || isOrderCritical(segment, run)) return true;
      return segment.unsyncedInodes.has(inode) || (run?.inodes.has(inode) ?? false);
    });
  }

  /** Makes durable which blocks were given up or cut. @throws FsError EIO */
  async syncOrdered(): Promise<void> {
    await this.#syncWhere(isOrderCritical);
  }

  async #syncWhere(concerned: (segment: Segment, run: Run | undefined) => boolean): Promise<void> {
    const syncs: Promise<void>[] = [];
    for (const segment of this.#store.unsynced) if (concerned(segment, this.#runs.get(segment))) syncs.push(this.sync(segment));
    const failed = (await Promise.allSettled(syncs)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Lets the kernel begin to write a stream's data. */
  startWriteBack(segment: Segment): void {
    if (segment.unstartedBytes < WRITE_BACK_BYTES || this.#writingBack.has(segment)) return;
    segment.unstartedBytes = 0;
    this.#writingBack.add(segment);
    const fd = this.#store.descriptors.pin(segment);
    const finished = (): void => {
      this.#store.descriptors.unpin(segment);
      this.#writingBack.delete(segment);
    };
    // Only a hint: a failure shows up in the fdatasync that follows.
    syncFileRange(fd, 0, 0, SYNC_FILE_RANGE_WRITE).then(finished, finished);
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#runs.values()].map((run) => run.next ?? run.done));
  }

  async #run(segment: Segment): Promise<void> {
    const { descriptors } = this.#store;
    const provisional = segment.provisional;
    segment.provisional = [];
    const fd = descriptors.pin(segment);
    try {
      if (segment.suspect) this.#rewrite(segment);
      let upTo = segment.writeNumber;
      await fdatasyncAsync(fd);
      const confirmed = provisional.filter((entry) => entry.provisional && (entry.state === 'dirty' || entry.state === 'settling'));
      if (confirmed.length > 0) {
        const others = segment.writeNumber > upTo;
        for (const entry of confirmed) {
          entry.provisional = false;
          this.#store.writeRecord(entry);
        }
        if (!others) upTo = segment.writeNumber;
        await fdatasyncAsync(fd);
      }
      if (!segment.entryDurable) {
        await this.#syncDirectory();
        segment.entryDurable = true;
      }
      segment.syncedNumber = Math.max(segment.syncedNumber, upTo);
      segment.suspect = false;
    } catch (error) {
      segment.provisional.push(...provisional);
      throw error;
    } finally {
      descriptors.unpin(segment);
    }
  }

  /** After a failed sync the pages in memory may count as written although they aren't. */
  #rewrite(segment: Segment): void {
    const buffer = new Uint8Array(REWRITE_BYTES);
    for (const entry of segment.blocks) {
      if (entry?.state !== 'dirty' && entry?.state !== 'settling') continue;
      for (let at = 0; at < entry.lengthBytes; at += buffer.length) {
        const part = buffer.subarray(0, Math.min(buffer.length, entry.lengthBytes - at));
        this.#store.readData(entry, at, part);
        this.#store.writeData(entry, at, part);
      }
      this.#store.writeRecord(entry);
    }
  }

  /** One fsync of the directory for all who ask before it begins. */
  #syncDirectory(): Promise<void> {
    this.#directorySync ??= Promise.resolve().then(() => {
      this.#directorySync = undefined;
      return syncDirectory(this.#store.directory);
    });
    return this.#directorySync;
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const fd = await promisify(open)(path, 'r');
  try {
    await promisify(fsync)(fd);
  } finally {
    await promisify(close)(fd);
  }
}
