/**
 * Gives back the bytes of slots that nobody needs: unlinks a segment when all its slots are dead, punches dead slots out of the others.
 * Runs in the background; bytes count as used until they are really free.
 *
 * A slot whose record may say `dirty` on disk could come back after a power cut, older than what the store has. So a dead mark is
 * made durable before its bytes go, unless the database itself no longer knows the inode.
 */
import { unlink } from 'node:fs/promises';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../util/libc.ts';
import { isUnsupported } from '../util/system-call-error.ts';
import type { BlockCacheLog } from './block-cache-options.ts';
import type { CacheSpace } from './cache-space.ts';
import { type CachedBlock, PAGE_BYTES } from './cached-block.ts';
import type { DeadSlot, Segment } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';
import type { SegmentSync } from './segment-sync.ts';

/** Slots that die together should go with their file rather than one by one. */
const RECLAIM_DELAY_MS = 100;
const RETRY_DELAY_MS = 1000;
const PARALLEL_SEGMENTS = 4;

function bytesOf(dead: readonly DeadSlot[]): number {
  return dead.reduce((sum, { firstPage, endPage }) => sum + (endPage - firstPage) * PAGE_BYTES, 0);
}

export class SegmentReclaim {
  readonly #store: SegmentStore;
  readonly #sync: SegmentSync;
  readonly #space: CacheSpace;
  readonly #log: BlockCacheLog;
  readonly #queue = new Set<Segment>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #pendingBytes = 0;
  /** Called after bytes became free. */
  onFreed: () => void = () => {};

  constructor(store: SegmentStore, sync: SegmentSync, space: CacheSpace, log: BlockCacheLog) {
    this.#store = store;
    this.#sync = sync;
    this.#space = space;
    this.#log = log;
  }

  /** Bytes that will be free before long. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes a slot that nothing needs any more. `mark`: its record could bring it back after a power cut. */
  free(entry: CachedBlock, mark: boolean): void {
    const { segment, slot } = entry;
    segment.blocks[slot] = undefined;
    segment.liveCount -= 1;
    if (mark) {
      try {
        this.#store.writeDeadRecord(segment, slot);
        segment.marksUnsynced = true;
      } catch (error) {
        this.#log.error(`Cannot write to ${segment.path}; space in it is lost until it goes`, error);
        segment.stuckBytes += entry.allocatedBytes;
        return;
      }
    }
    segment.dead.push({ slot, firstPage: entry.firstPage, endPage: entry.endPage });
    this.#pendingBytes += entry.allocatedBytes;
    this.#queue.add(segment);
    this.#schedule(RECLAIM_DELAY_MS);
  }

  /** Takes segments without live blocks out of use, so that their files go. */
  retireEmpty(): void {
    for (const segment of this.#store.segments) {
      if (segment.liveCount > 0) continue;
      this.#store.retire(segment);
      this.#queue.add(segment);
    }
  }

  #schedule(delayMs: number): void {
    if (this.#timer || this.#running) return;
    this.#timer = setTimeout(() => void this.run(), delayMs);
    this.#timer.unref();
  }

  /** Gives back at once what can be given back. Never rejects. */
  run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#queue.size > 0) this.#schedule(RETRY_DELAY_MS);
    });
    return this.#running;
  }

  /** Ends the timer and waits for what is under way. */
  async stop(): Promise<void> {
    await this.run();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #drain(): Promise<void> {
    let progress = true;
    while (progress && this.#queue.size > 0) {
      const batch = [...this.#queue];
      this.#queue.clear();
      progress = false;
      for (let at = 0; at < batch.length; at += PARALLEL_SEGMENTS) {
        const freed = await Promise.all(batch.slice(at, at + PARALLEL_SEGMENTS).map((segment) => this.#reclaim(segment)));
        if (freed.some(Boolean)) {
          progress = true;
          this.onFreed();
        }
      }
    }
  }

  async #reclaim(segment: Segment): Promise<boolean> {
    try {
      if (segment.liveCount === 0 && segment.handedOut > segment.slotCount / 2) this.#store.retire(segment);
      const whole = segment.full && segment.liveCount === 0;
      const dead = segment.dead;
      segment.dead = [];
      try {
        if (segment.marksUnsynced) {
          segment.marksUnsynced = false;
          await this.#sync.sync(segment).catch((error: unknown) => {
            segment.marksUnsynced = true;
            throw error;
          });
        }
        if (whole) return await this.#unlink(segment, dead);
        await this.#punch(segment, dead);
        return true;
      } catch (error) {
        segment.dead.push(...dead);
        throw error;
      }
    } catch (error) {
      this.#log.error(`Cannot free space in ${segment.path}`, error);
      this.#queue.add(segment);
      return false;
    }
  }

  async #unlink(segment: Segment, dead: readonly DeadSlot[]): Promise<boolean> {
    if (segment.pinCount > 0) {
      segment.dead.push(...dead);
      this.#queue.add(segment);
      return false;
    }
    this.#store.descriptors.close(segment);
    await unlink(segment.path);
    this.#store.forget(segment);
    // Taken out of use once more while its file went.
    this.#queue.delete(segment);
    const bytes = bytesOf(dead);
    this.#pendingBytes -= bytes;
    this.#space.release(bytes + segment.stuckBytes + segment.overheadBytes, 0);
    return true;
  }

  async #punch(segment: Segment, dead: readonly DeadSlot[]): Promise<void> {
    const slots = dead.filter((slot) => slot.endPage > 0).sort((a, b) => a.slot - b.slot);
    const fd = this.#store.descriptors.pin(segment);
    try {
      for (let first = 0; first < slots.length;) {
        let last = first;
        while (slots[last + 1]?.slot === (slots[last]?.slot ?? 0) + 1) last += 1;
        const [from, to] = [slots[first], slots[last]];
        if (!from || !to) break;
        const start = segment.dataPosition(from.slot) + from.firstPage * PAGE_BYTES;
        const end = segment.dataPosition(to.slot) + to.endPage * PAGE_BYTES;
        await fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start);
        first = last + 1;
      }
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      // Holes can't be punched here: the bytes go with the file.
      const bytes = bytesOf(dead);
      segment.stuckBytes += bytes;
      this.#pendingBytes -= bytes;
      return;
    } finally {
      this.#store.descriptors.unpin(segment);
    }
    const bytes = bytesOf(dead);
    this.#pendingBytes -= bytes;
    this.#space.release(bytes, 0);
  }
}
