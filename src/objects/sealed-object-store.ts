/** The ObjectStore of the program: a backend for the objects, an envelope for their contents, threads for the work in between. */
import type { Backend, ListedObject, ObjectKey, RequestOptions } from '../backends/backend.ts';
import { CorruptedObjectError } from '../backends/errors.ts';
import type { EnvelopeSpec } from '../envelope/envelope.ts';
import type { BlockSource, GetOptions, HashedBlock, ObjectStore, PutOptions, PutResult } from './object-store.ts';
import { logger } from '../util/log.ts';
import { TransformPool } from './transform-pool.ts';
import { releaseBuffer } from '../util/release-buffer.ts';
import { transferable } from '../util/transferable.ts';

/** How often an object that comes damaged is fetched before it counts as damaged. */
const GET_ATTEMPTS = 3;

const log = logger('objects');

export interface SealedObjectStoreOptions {
  /** Belongs to the store from now on: disposed with it. */
  readonly backend: Backend;
  readonly envelope: EnvelopeSpec;
  readonly maxThreads: number;
}

export class SealedObjectStore implements ObjectStore {
  readonly #backend: Backend;
  readonly #pool: TransformPool;

  constructor(options: SealedObjectStoreOptions) {
    this.#backend = options.backend;
    this.#pool = new TransformPool(options.envelope, options.maxThreads);
  }

  get url(): string {
    return this.#backend.url;
  }

  hash(source: BlockSource): Promise<HashedBlock> {
    return 'bytes' in source ? this.#pool.run({ kind: 'hash', ...source }) : this.#pool.run({ kind: 'hash-file', ...source });
  }

  async put(key: ObjectKey, bytes: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    const { compression, ...storeOptions } = options;
    options.signal?.throwIfAborted();
    const { metadata, payload } = await this.#pool.run({ kind: 'seal', key, bytes, compression });
    const result = await this.#backend.store(key, metadata, [payload], { ...storeOptions, consumePayload: true });
    releaseBuffer(payload);
    return result;
  }

  async get(key: ObjectKey, options: GetOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetchAndOpen(key, options);
      } catch (error) {
        // An answer may be damaged on its way, and the object be sound.
        if (!(error instanceof CorruptedObjectError) || attempt === GET_ATTEMPTS) throw error;
        log.warn('%s: fetching it again', error.message);
      }
    }
  }

  async #fetchAndOpen(key: ObjectKey, options: GetOptions): Promise<Uint8Array<ArrayBuffer>> {
    const { expectedDigest, maxSizeBytes, ...requestOptions } = options;
    const { metadata, payload } = await this.#backend.fetch(key, requestOptions);
    options.signal?.throwIfAborted();
    const opened = await this.#pool.run({ kind: 'open', key, metadata, payload: transferable(payload), maxSizeBytes, expectedDigest });
    return opened.bytes;
  }

  async stat(key: ObjectKey, options?: RequestOptions): Promise<{ readonly storedSizeBytes: number }> {
    const { storedSizeBytes } = await this.#backend.stat(key, options);
    return { storedSizeBytes };
  }

  delete(key: ObjectKey, options?: RequestOptions): Promise<void> {
    return this.#backend.delete(key, options);
  }

  deleteMany(keys: readonly ObjectKey[], options?: RequestOptions): Promise<void> {
    return this.#backend.deleteMany(keys, options);
  }

  list(prefix: string, options?: RequestOptions): AsyncIterable<ListedObject> {
    return this.#backend.list(prefix, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
    await this.#backend[Symbol.asyncDispose]();
  }
}
