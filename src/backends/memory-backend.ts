/** A store in memory, for tests: the simplest thing that keeps every promise of the Backend interface, with all capabilities. */
import type {
  Backend,
  Capabilities,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectStat,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from './backend.ts';
import { refuseCopy } from './conditions.ts';
import { NoSuchObjectError, PreconditionFailedError } from './errors.ts';
import type { ObjectMetadata } from './object-metadata.ts';

interface StoredObject {
  readonly metadata: ObjectMetadata;
  readonly payload: Buffer<ArrayBuffer>;
  readonly version: string;
  readonly lastModifiedMs: number;
}

export class MemoryBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    range: true,
    batchDelete: 1000,
    serverCopy: true,
  };
  readonly #objects = new Map<string, StoredObject>();
  #versions = 0;

  constructor(url: string = 'memory://') {
    this.url = url;
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    options.signal?.throwIfAborted();
    const current = this.#objects.get(key);
    if (options.ifAbsent === true && current !== undefined) throw new PreconditionFailedError(`object ${key} exists already`);
    if (options.ifVersion !== undefined && options.ifVersion !== current?.version) {
      throw new PreconditionFailedError(`object ${key} has another version`);
    }
    this.#versions += 1;
    const stored = {
      metadata: structuredClone(metadata),
      payload: Buffer.concat(payload),
      version: String(this.#versions),
      lastModifiedMs: Date.now(),
    };
    this.#objects.set(key, stored);
    return { storedSizeBytes: stored.payload.byteLength, version: stored.version };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    options.signal?.throwIfAborted();
    const { payload } = this.#get(key);
    const { offset, lengthBytes } = options.range ?? { offset: 0, lengthBytes: payload.byteLength };
    // A copy: what the caller does with it must not reach us.
    return { ...this.#describe(key), payload: Buffer.from(payload.subarray(offset, offset + lengthBytes)) };
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    options.signal?.throwIfAborted();
    return this.#describe(key);
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.#objects.delete(key);
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    for (const key of keys) this.#objects.delete(key);
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!this.capabilities.serverCopy) return refuseCopy(this);
    this.#versions += 1;
    this.#objects.set(target, { ...this.#get(source), version: String(this.#versions), lastModifiedMs: Date.now() });
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const listed = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    for (const [key, { payload }] of listed) {
      options.signal?.throwIfAborted();
      yield { key, storedSizeBytes: payload.byteLength };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The objects stay: a test may use the store again.
  }

  #get(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new NoSuchObjectError(key);
    return object;
  }

  #describe(key: string): ObjectStat {
    const { metadata, payload, version, lastModifiedMs } = this.#get(key);
    return { metadata: structuredClone(metadata), storedSizeBytes: payload.byteLength, version, lastModifiedMs };
  }
}
