/**
 * Fetches objects, at most `limit` at a time, each once for all who want it; readers go before read-ahead. Keeps the last few results in
 * memory for blocks that found no room in the cache.
 *
 * Who wants an object's bytes gives a function that uses them, and no longer: when all have been called the memory is freed at once.
 * Left to the collector, each 20 MiB read from the store cost the file system's thread a collection of 20 ms.
 */
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BlockIndex, InodeId, ObjectId, StoredBlock } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { releaseBuffer } from '../util/release-buffer.ts';
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

/** Uses a block's bytes, which are gone when it returns. */
export type BytesUser<T = void> = (bytes: Uint8Array) => T;

interface Flight {
  readonly row: StoredBlock;
  /** For messages: who asked first. */
  readonly place: BlockOfFile;
  /** Called in order when the bytes are there. */
  readonly users: Set<BytesUser>;
  /** Rejects with what the users get instead of bytes. */
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Asked again before it starts; undefined if a reader waits for it. */
  wanted: (() => boolean) | undefined;
}

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
   * Has `use` called with the block's bytes from the store, verified; resolves to what it returns.
   * @throws FsError EIO if the object is missing or damaged, or the store fails or does not answer in time; EINTR if aborted; what `use` throws
   */
  async get<T>(place: BlockOfFile, row: StoredBlock, use: BytesUser<T>, signal?: AbortSignal): Promise<T> {
    const kept = this.#lookaside.get(row.objectId);
    if (kept) return use(kept);
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
    return this.#waitFor(flight, use, signal);
  }

  async #waitFor<T>(flight: Flight, use: BytesUser<T>, signal: AbortSignal | undefined): Promise<T> {
    const { patienceMs = Infinity } = this.#options;
    const { row, users } = flight;
    const used = Promise.withResolvers<T>();
    const user = (bytes: Uint8Array): void => {
      try {
        used.resolve(use(bytes));
      } catch (error) {
        used.reject(error);
      }
    };
    users.add(user);
    flight.promise.catch(used.reject);
    const tooLate = (): void =>
      used.reject(new FsError('EIO', `the store did not give object ${dataObjectKey(row.objectId)} in ${patienceMs / 1000} s`));
    const timer = Number.isFinite(patienceMs) ? setTimeout(tooLate, patienceMs).unref() : undefined;
    try {
      return await untilAborted(used.promise, signal);
    } catch (error) {
      // It may still come, and somebody ask again.
      if (users.delete(user)) users.add((bytes) => this.keep(row.objectId, bytes));
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The same ahead of need; does nothing if somebody fetches it already. Failures are left to whoever really needs the block; if it is not wanted
   * any more when its turn comes, it is not fetched.
   */
  prefetch(place: BlockOfFile, row: StoredBlock, use: BytesUser, wanted: () => boolean): void {
    if (this.#flights.has(row.objectId) || this.#lookaside.has(row.objectId) || this.#options.damaged.has(row.objectId)) return;
    const flight = this.#add(place, row, wanted);
    flight.users.add(use);
    this.#prefetches.push(flight);
    this.#pump();
  }

  #add(place: BlockOfFile, row: StoredBlock, wanted: (() => boolean) | undefined): Flight {
    const flight: Flight = { row, place, wanted, users: new Set(), ...Promise.withResolvers<void>() };
    flight.promise.catch(() => undefined);
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
      this.#hand(flight, bytes);
    } catch (error) {
      if (error instanceof CorruptedObjectError || error instanceof NoSuchObjectError) {
        this.#options.damaged.add(row.objectId, error);
        this.#options.log.error(`Object ${key} (block ${place.block} of inode ${place.inode}) cannot be read`, error);
        this.#options.onDamage({ ...place, key, error });
      }
      flight.reject(new FsError('EIO', `cannot read object ${key}`, { cause: error }));
    } finally {
      this.#started.delete(flight);
      if (this.#flights.get(row.objectId) === flight) this.#flights.delete(row.objectId);
      this.#pump();
    }
  }

  #hand({ row, users, resolve }: Flight, bytes: Uint8Array): void {
    // Who asks from now on finds the block in the cache, or the bytes kept.
    this.#flights.delete(row.objectId);
    for (const use of users) use(bytes);
    if (this.#lookaside.get(row.objectId) !== bytes) releaseBuffer(bytes);
    resolve();
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
      flight.reject(new FsError('EIO', 'the block cache is closed'));
    }
    await Promise.allSettled([...this.#started].map((flight) => flight.promise));
    this.#lookaside.clear();
    this.#lookasideBytes = 0;
  }
}
