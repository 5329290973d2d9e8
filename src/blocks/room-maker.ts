/**
 * Makes room in the cache: evicts clean blocks, least recently used first; if that isn't enough, has given-up and settling blocks made
 * durable and uploads the oldest dirty ones. Keeps some room free ahead of need, so that writers seldom wait.
 */
import { FileSystemLostError } from '../backends/errors.ts';
import type { BlockCacheLog } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStates } from './block-states.ts';
import type { CacheSpace } from './cache-space.ts';
import { uploadError } from './errors.ts';
import type { SegmentReclaim } from './segment-reclaim.ts';
import type { Uploader } from './uploader.ts';

const HEADROOM_BYTES = 64 * 1024 * 1024;
const HEADROOM_ENTRIES = 256;

export interface RoomMakerParts {
  readonly space: CacheSpace;
  readonly index: BlockIndex;
  readonly states: BlockStates;
  readonly reclaim: SegmentReclaim;
  readonly uploader: Uploader;
  readonly requestDurable: () => Promise<void>;
  readonly whenStuck: 'wait' | 'fail';
  readonly storeIsDown: () => boolean;
  readonly log: BlockCacheLog;
}

export class RoomMaker {
  readonly #parts: RoomMakerParts;
  #durable: Promise<void> | undefined;

  constructor(parts: RoomMakerParts) {
    this.#parts = parts;
  }

  /** Called after the cache grew: begins to evict and upload before there is no room left. */
  maintain(): void {
    const { space, index, reclaim, uploader } = this.#parts;
    const headroomBytes = Math.min(HEADROOM_BYTES, Math.floor(space.sizeLimitBytes / 8));
    const headroomEntries = Math.min(HEADROOM_ENTRIES, Math.floor(space.entryLimit / 8));
    const bytes = headroomBytes - space.availableBytes - reclaim.pendingBytes;
    const entries = headroomEntries - space.availableEntries;
    if (bytes <= 0 && entries <= 0) return;
    const missing = this.#evict(bytes, entries);
    if (missing.bytes <= 0 && missing.entries <= 0) return;
    if (index.settling.count > 0) this.#makeDurable();
    uploader.startOldest(missing.bytes - index.settling.sizeBytes, missing.entries - index.settling.count);
  }

  /** Somebody waits for room. */
  make(): void {
    const { space, index, states, reclaim, uploader } = this.#parts;
    const wanted = space.wanted();
    const missing = this.#evict(wanted.bytes - space.availableBytes - reclaim.pendingBytes, wanted.entries - space.availableEntries);
    // What goes in the background pokes when done; entries are free at once.
    void reclaim.run();
    if (missing.bytes <= 0 && missing.entries <= 0) {
      if (missing.evicted) queueMicrotask(() => space.poke());
      return;
    }
    const awaitsEpoch = index.settling.count > 0 || states.givenUpBytes > 0;
    if (awaitsEpoch) this.#makeDurable();
    uploader.startOldest(missing.bytes - index.settling.sizeBytes - states.givenUpBytes, missing.entries - index.settling.count);
    if (awaitsEpoch || reclaim.pendingBytes > 0) return;
    const fails = this.#parts.whenStuck === 'fail';
    // What is under way would go on for a day.
    if (fails && this.#parts.storeIsDown()) {
      space.refuse(uploader.failure);
      return;
    }
    if (uploader.activeCount > 0) return;
    const nothingToUpload = index.dirty.count === 0;
    if (uploader.failure instanceof FileSystemLostError) space.refuse(uploadError(uploader.failure));
    else if (nothingToUpload || uploader.storeFull || (uploader.failure !== undefined && fails)) space.refuse(uploader.failure);
    // Else the uploader tries again after its back-off.
  }

  /** Evicts all clean blocks. */
  evictAll(): void {
    this.#evict(Infinity, Infinity);
  }

  /** Evicts until so much is on its way to be free. Returns what is still missing. */
  #evict(bytes: number, entries: number): { bytes: number; entries: number; evicted: boolean } {
    const { index, states } = this.#parts;
    let evicted = false;
    for (let entry = index.clean.first; entry && (bytes > 0 || entries > 0);) {
      const { next } = entry;
      if (entry.pinCount === 0) {
        bytes -= entry.allocatedBytes;
        entries -= 1;
        evicted = true;
        states.evict(entry);
      }
      entry = next;
    }
    return { bytes, entries, evicted };
  }

  #makeDurable(): void {
    const { requestDurable, space, log } = this.#parts;
    if (this.#durable) return;
    this.#durable = requestDurable().then(
      () => {
        this.#durable = undefined;
        space.poke();
      },
      (error: unknown) => {
        this.#durable = undefined;
        log.error('Cannot make metadata durable, so no room can be made in the block cache', error);
        space.refuse(error);
      },
    );
  }
}
