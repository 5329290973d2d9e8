/**
 * Brings dirty blocks to the store: some time after their last change, on request, or to make room. At most `limit` at a time, oldest
 * change first. A failed upload leaves its block dirty; after a failure nothing starts by itself until a back-off has passed.
 *
 * Hand-offs that must be safe, since the block goes on living meanwhile:
 * - The segment is synced before the block is linked, so that after a power cut the slot isn't less than what the database refers to.
 * - The worker reads the bytes while writes go on. If the version changed meanwhile, the bytes may be torn and are not used: they are
 *   taken once more, synchronously, which always gives a state that the block did have.
 * - The link is made only if the block still holds its place; it becomes settling only if its version is still the one uploaded.
 */
import { BackendError, FileSystemLostError, NoSpaceError } from '../backends/errors.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { HashedBlock, ObjectStore } from '../objects/object-store.ts';
import type { BlockCacheLog, BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStates } from './block-states.ts';
import type { CachedBlock } from './cached-block.ts';
import type { DamagedObjects } from './damaged-objects.ts';
import { uploadError } from './errors.ts';
import { dataObjectKey, type ObjectIds } from './object-ids.ts';
import type { RemovalQueue } from './removal-queue.ts';
import type { SegmentStore } from './segment-store.ts';
import type { SegmentSync } from './segment-sync.ts';

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** Plaintext of blocks under upload is in memory: so much of it, or one block. */
const MAX_BYTES_IN_MEMORY = 64 * 1024 * 1024;

export interface UploaderParts {
  readonly index: BlockIndex;
  readonly store: SegmentStore;
  readonly sync: SegmentSync;
  readonly states: BlockStates;
  readonly damaged: DamagedObjects;
  readonly ids: ObjectIds;
  readonly removals: RemovalQueue;
  readonly database: BlockDatabase;
  readonly objects: Pick<ObjectStore, 'hash' | 'put'>;
  readonly compression: CompressionSpec;
  readonly log: BlockCacheLog;
  readonly delayMs: number;
  readonly maxUploads: number;
  readonly onState: (error: unknown) => void;
}

/**
 * Whether the block may still be linked to an object of that length: not if it is gone, nor if it was cut meanwhile, since the bytes behind
 * its end must not come back if the database is all that a crash leaves.
 */
function isWanted(entry: CachedBlock, lengthBytes: number): boolean {
  return entry.state === 'dirty' && lengthBytes <= entry.lengthBytes;
}

export class Uploader {
  readonly #parts: UploaderParts;
  readonly limit: number;
  readonly #active = new Map<CachedBlock, Promise<void>>();
  /** Waiting for one of `limit` places. */
  #queue: (() => void)[] = [];
  #running = 0;
  readonly #byDigest = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #backoffMs = FIRST_BACKOFF_MS;
  #pausedUntilMs = 0;
  #stopped = false;
  /** Called when an upload ended, either way. */
  onProgress: () => void = () => {};

  constructor(parts: UploaderParts) {
    this.#parts = parts;
    this.limit = Math.max(1, Math.min(parts.maxUploads, Math.floor(MAX_BYTES_IN_MEMORY / parts.store.blockSizeBytes)));
  }

  get activeCount(): number {
    return this.#active.size;
  }

  /** Why the last upload failed; undefined if it didn't. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The store has no room. */
  get storeFull(): boolean {
    return this.#failure instanceof NoSpaceError;
  }

  /** There is a dirty block: sees to it that its time comes. */
  arm(): void {
    // With all places taken the end of an upload looks for the next.
    if (this.#timer || this.#stopped || this.#active.size >= this.limit) return;
    const next = this.#oldestWaiting();
    if (!next) return;
    const dueMs = Math.max(next.changedMs + this.#parts.delayMs, this.#pausedUntilMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#startDue();
      },
      Math.max(0, dueMs - performance.now()),
    );
    this.#timer.unref();
  }

  #startDue(): void {
    const now = performance.now();
    if (now >= this.#pausedUntilMs) {
      for (const entry of this.#parts.index.dirty) {
        if (entry.changedMs + this.#parts.delayMs > now || this.#active.size >= this.limit) break;
        if (!this.#active.has(entry)) this.#startInBackground(entry);
      }
    }
    this.arm();
  }

  /** The oldest dirty block that isn't under upload. */
  #oldestWaiting(): CachedBlock | undefined {
    for (const entry of this.#parts.index.dirty) if (!this.#active.has(entry)) return entry;
    return undefined;
  }

  /** Starts uploads of the oldest dirty blocks, not waiting for their time, until so much is under way (within the limits). */
  startOldest(bytes: number, entries: number): void {
    if (performance.now() < this.#pausedUntilMs || this.#stopped) return;
    let startedBytes = 0;
    let startedEntries = 0;
    for (const entry of this.#parts.index.dirty) {
      if (startedBytes >= bytes && startedEntries >= entries) break;
      if (!this.#active.has(entry)) {
        if (this.#active.size >= this.limit) break;
        this.#startInBackground(entry);
      }
      startedBytes += entry.allocatedBytes;
      startedEntries += 1;
    }
  }

  #startInBackground(entry: CachedBlock): void {
    // Failures are noted in #run.
    this.upload(entry).catch(() => undefined);
  }

  /**
   * Uploads what the block is at the time of the call, or later, and links it.
   * @throws FsError EIO or ENOSPC with the store's error as cause; the block stays dirty
   */
  async uploadNow(entry: CachedBlock): Promise<void> {
    const { version } = entry;
    try {
      while (entry.state === 'dirty' && entry.linkedVersion < version) await this.upload(entry);
    } catch (error) {
      throw uploadError(error);
    }
  }

  /** As uploadNow, but joins an upload under way, which may have taken the bytes before. Rejects with the store's error. */
  upload(entry: CachedBlock): Promise<void> {
    let active = this.#active.get(entry);
    if (!active) {
      active = this.#inTurn(entry);
      this.#active.set(entry, active);
    }
    return active;
  }

  async #inTurn(entry: CachedBlock): Promise<void> {
    try {
      if (this.#running >= this.limit) {
        // Whoever ends hands its place over.
        const turn = Promise.withResolvers<void>();
        this.#queue.push(turn.resolve);
        await turn.promise;
      } else this.#running += 1;
      try {
        await this.#run(entry);
      } finally {
        const next = this.#queue.shift();
        if (next) next();
        else this.#running -= 1;
      }
    } catch (error) {
      this.#failed(entry, error);
      throw error;
    } finally {
      this.#active.delete(entry);
      this.onProgress();
      if (!this.#timer && !this.#stopped) this.#startDue();
    }
  }

  #succeeded(): void {
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#pausedUntilMs = 0;
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#parts.onState(undefined);
  }

  #failed(entry: CachedBlock, error: unknown): void {
    this.#failure = error;
    // Not worth another try; whoever found out has said so.
    if (error instanceof FileSystemLostError) this.#stopped = true;
    const now = performance.now();
    // Uploads that were under way together fail together: that counts once.
    if (now >= this.#pausedUntilMs && !this.#stopped) {
      const waitMs = this.#backoffMs * (0.5 + Math.random() / 2);
      this.#pausedUntilMs = now + waitMs;
      this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
      this.#parts.log.error(
        `Cannot upload block ${entry.block} of inode ${entry.inode}; it stays in the cache, next try in ${Math.ceil(waitMs / 1000)} s`,
        error,
      );
    }
    this.#parts.onState(error);
  }

  async #run(entry: CachedBlock): Promise<void> {
    const { sync, store, objects } = this.#parts;
    if (entry.state === 'dirty' && Math.max(entry.writeNumber, entry.recordNumber) > entry.segment.syncedNumber)
      await sync.sync(entry.segment);
    if (entry.state !== 'dirty') return;
    let { version } = entry;
    const fd = store.descriptors.pin(entry.segment);
    let hashed: HashedBlock;
    try {
      hashed = await objects.hash({ fd, position: entry.segment.dataPosition(entry.slot), lengthBytes: entry.lengthBytes });
    } finally {
      store.descriptors.unpin(entry.segment);
    }
    if (entry.state !== 'dirty') return;
    if (entry.version !== version) {
      const bytes = new Uint8Array(entry.lengthBytes);
      store.readData(entry, 0, bytes);
      version = entry.version;
      hashed = await objects.hash({ bytes });
    }
    await this.#storeAndLink(entry, version, hashed);
  }

  async #storeAndLink(entry: CachedBlock, version: number, hashed: HashedBlock): Promise<void> {
    const { database, damaged } = this.#parts;
    const digest = Buffer.from(hashed.digest).toString('latin1');
    for (;;) {
      if (entry.state !== 'dirty') return;
      const found = database.blocks.findByDigest(hashed.digest);
      if (found && !damaged.has(found.objectId)) {
        if (isWanted(entry, found.lengthBytes)) this.#link(entry, found.objectId, version);
        return;
      }
      const other = this.#byDigest.get(digest);
      if (!other) {
        const done = found ? this.#heal(entry, found.objectId, version, hashed) : this.#storeNew(entry, version, hashed);
        const settled = done.then(
          () => undefined,
          () => undefined,
        );
        this.#byDigest.set(digest, settled);
        await done.finally(() => this.#byDigest.delete(digest));
        return;
      }
      await other;
    }
  }

  async #storeNew(entry: CachedBlock, version: number, { digest, bytes }: HashedBlock): Promise<void> {
    const { database, ids, objects, compression, removals } = this.#parts;
    const lengthBytes = bytes.length;
    const id = await ids.take();
    if (entry.state !== 'dirty') return;
    const { storedSizeBytes } = await objects.put(dataObjectKey(id), bytes, { compression });
    this.#succeeded();
    if (!isWanted(entry, lengthBytes)) {
      removals.addUnused(id);
      return;
    }
    try {
      database.atomic(() => {
        database.blocks.insertObject(id, digest, lengthBytes, storedSizeBytes);
        database.blocks.link(entry.inode, entry.block, id);
      });
    } catch (error) {
      removals.addUnused(id);
      throw error;
    }
    this.#linked(entry, id, version);
  }

  /** Stores the content of a damaged object again, under its name. */
  async #heal(entry: CachedBlock, id: ObjectId, version: number, { bytes }: HashedBlock): Promise<void> {
    const { database, damaged, objects, compression, log } = this.#parts;
    const lengthBytes = bytes.length;
    await objects.put(dataObjectKey(id), bytes, { compression });
    this.#succeeded();
    damaged.delete(id);
    log.info(`Object ${dataObjectKey(id)} was damaged and has been stored again`);
    // Its row may have gone meanwhile, and the object with it: then the next round stores the block as a new one.
    if (isWanted(entry, lengthBytes) && database.blocks.hasObject(id)) this.#link(entry, id, version);
  }

  #link(entry: CachedBlock, id: ObjectId, version: number): void {
    this.#parts.database.blocks.link(entry.inode, entry.block, id);
    this.#linked(entry, id, version);
  }

  #linked(entry: CachedBlock, id: ObjectId, version: number): void {
    this.#parts.removals.collect();
    this.#parts.states.linked(entry, id, version);
    // What the store had already says nothing of whether it takes more.
    if (!(this.#failure instanceof BackendError)) this.#succeeded();
  }

  /** Waits for what is under way, successful or not. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#active.values());
  }

  /** Nothing starts by itself any more; waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.settle();
  }
}
