/**
 * Fetches objects, at most `limit` at a time, each once for all who want it; readers go before read-ahead. Keeps the last few results in
 * memory for blocks that found no room in the cache.
 */
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BlockIndex, InodeId, ObjectId, StoredBlock } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { untilAborted } from '../util/until-aborted.ts';
import type { BlockCacheLog, BlockDamage } from './block-cache-options.ts';
import type { DamagedObjects } from './damaged-objects.ts';
import { dataObjectKey } from './object-ids.ts';

/** Bytes of fetched blocks that are kept in memory for lack of room in the cache; at least one block is. */
const LOOKASIDE_BYTES = 16 * 1024 * 1024;

export interface DownloadsOptions {
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly limit: number;
  readonly damaged: DamagedObjects;
  /** How long somebody waits for an object; the request itself goes on. Default: for ever. */
  readonly patienceMs?: number;
  readonly log: BlockCacheLog;
  readonly onDamage: (damage: BlockDamage) => void;
}

export interface BlockOfFile {
  readonly inode: InodeId;
  readonly block: BlockIndex;
}

interface Flight {
  readonly row: StoredBlock;
  /** For messages: who asked first. */
  readonly place: BlockOfFile;
  readonly promise: Promise<Uint8Array>;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  /** Asked again before it starts; undefined if a reader waits for it. */
  wanted: (() => boolean) | undefined;
}

/** A prefetch that was no longer wanted when its turn came. */
export class CancelledError extends Error {}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #flights = new Map<ObjectId, Flight>();
  /** Not yet started; a flight that was promoted is in both. */
  #demanded: Flight[] = [];
  #prefetches: Flight[] = [];
  readonly #started = new Set<Flight>();
  readonly #lookaside = new Map<ObjectId, Uint8Array>();
  #lookasideBytes = 0;

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  get activeCount(): number {
    return this.#started.size;
  }

  /**
   * The block's bytes from the store, verified.
   * @throws FsError EIO if the object is missing or damaged, or the store fails or does not answer in time; EINTR if aborted
   */
  async get(place: BlockOfFile, row: StoredBlock, signal?: AbortSignal): Promise<Uint8Array> {
    const kept = this.#lookaside.get(row.objectId);
    if (kept) return kept;
    const damage = this.#options.damaged.recentError(row.objectId);
    if (damage !== undefined) {
      throw new FsError('EIO', `object ${dataObjectKey(row.objectId)} is damaged`, { cause: damage });
    }
    let flight = this.#flights.get(row.objectId);
    if (flight) {
      if (flight.wanted) {
        flight.wanted = undefined;
        if (!this.#started.has(flight)) this.#demanded.push(flight);
      }
    } else {
      flight = this.#add(place, row, undefined);
      this.#demanded.push(flight);
    }
    this.#pump();
    return this.#waitFor(flight, signal);
  }

  async #waitFor(flight: Flight, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { patienceMs = Infinity } = this.#options;
    const inTime = Promise.withResolvers<Uint8Array>();
    flight.promise.then(inTime.resolve, inTime.reject);
    const tooLate = (): void =>
      inTime.reject(new FsError('EIO', `the store did not give object ${dataObjectKey(flight.row.objectId)} in ${patienceMs / 1000} s`));
    const timer = Number.isFinite(patienceMs) ? setTimeout(tooLate, patienceMs).unref() : undefined;
    try {
      return await untilAborted(inTime.promise, signal);
    } catch (error) {
      // It may still come, and somebody ask again.
      flight.promise.then(
        (bytes) => this.keep(flight.row.objectId, bytes),
        () => undefined,
      );
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The same ahead of need; undefined if somebody fetches it already.
   * @throws FsError EIO; CancelledError if not wanted any more when its turn comes
   */
  prefetch(place: BlockOfFile, row: StoredBlock, wanted: () => boolean): Promise<Uint8Array> | undefined {
    if (this.#flights.has(row.objectId) || this.#lookaside.has(row.objectId) || this.#options.damaged.has(row.objectId)) return undefined;
    const flight = this.#add(place, row, wanted);
    this.#prefetches.push(flight);
    this.#pump();
    return flight.promise;
  }

  #add(place: BlockOfFile, row: StoredBlock, wanted: (() => boolean) | undefined): Flight {
    const flight: Flight = { row, place, wanted, ...Promise.withResolvers<Uint8Array>() };
    this.#flights.set(row.objectId, flight);
    return flight;
  }

  #pump(): void {
    while (this.#started.size < this.#options.limit) {
      const flight = this.#demanded.shift() ?? this.#prefetches.shift();
      if (!flight) return;
      if (this.#started.has(flight) || this.#flights.get(flight.row.objectId) !== flight) continue;
      if (flight.wanted && !flight.wanted()) {
        this.#flights.delete(flight.row.objectId);
        flight.reject(new CancelledError());
        continue;
      }
      this.#started.add(flight);
      void this.#run(flight);
    }
  }

  async #run(flight: Flight): Promise<void> {
    const { row, place } = flight;
    const key = dataObjectKey(row.objectId);
    try {
      const bytes = await this.#options.objects.get(key, row.digest ? { expectedDigest: row.digest } : {});
      if (bytes.length !== row.lengthBytes) {
        throw new CorruptedObjectError(`object ${key} has ${bytes.length} bytes instead of ${row.lengthBytes}`);
      }
      this.#options.damaged.delete(row.objectId);
      flight.resolve(bytes);
    } catch (error) {
      if (error instanceof CorruptedObjectError || error instanceof NoSuchObjectError) {
        this.#options.damaged.add(row.objectId, error);
        this.#options.log.error(`object ${key} (block ${place.block} of inode ${place.inode}) cannot be read`, error);
        this.#options.onDamage({ ...place, key, error });
      }
      flight.reject(new FsError('EIO', `cannot read object ${key}`, { cause: error }));
    } finally {
      this.#started.delete(flight);
      this.#flights.delete(row.objectId);
      this.#pump();
    }
  }

  /** Keeps bytes that found no room in the cache for the reads that follow soon. */
  keep(objectId: ObjectId, bytes: Uint8Array): void {
    if (this.#lookaside.has(objectId)) return;
    this.#lookaside.set(objectId, bytes);
    this.#lookasideBytes += bytes.length;
    for (const [oldest, { length }] of this.#lookaside) {
      if (this.#lookasideBytes <= LOOKASIDE_BYTES || this.#lookaside.size === 1) break;
      this.#lookaside.delete(oldest);
      this.#lookasideBytes -= length;
    }
  }

  /** The block is in the cache now. */
  release(objectId: ObjectId): void {
    const bytes = this.#lookaside.get(objectId);
    if (!bytes) return;
    this.#lookaside.delete(objectId);
    this.#lookasideBytes -= bytes.length;
  }

  /** Drops what has not started and waits for the rest. */
  async stop(): Promise<void> {
    const queued = [...this.#demanded, ...this.#prefetches].filter((flight) => !this.#started.has(flight));
    this.#demanded = [];
    this.#prefetches = [];
    for (const flight of queued) {
      this.#flights.delete(flight.row.objectId);
      flight.promise.catch(() => undefined);
      flight.reject(new FsError('EIO', 'the block cache is closed'));
    }
    await Promise.allSettled([...this.#started].map((flight) => flight.promise));
    this.#lookaside.clear();
    this.#lookasideBytes = 0;
  }
}
