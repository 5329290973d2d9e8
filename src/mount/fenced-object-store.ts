/** An object store that is not changed any more once the file system is another machine's. */
import type { ListedObject, ObjectKey, RequestOptions } from '../backends/backend.ts';
import type { BlockSource, GetOptions, HashedBlock, ObjectStore, PutOptions, PutResult } from '../objects/object-store.ts';
import type { WriterGuard } from './writer-guard.ts';

export class FencedObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #guard: WriterGuard;

  /** Does not own `inner`. */
  constructor(inner: ObjectStore, guard: WriterGuard) {
    this.#inner = inner;
    this.#guard = guard;
  }

  get url(): string {
    return this.#inner.url;
  }

  hash(source: BlockSource): Promise<HashedBlock> {
    return this.#inner.hash(source);
  }

  async put(key: ObjectKey, bytes: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    this.#guard.requireOwned();
    return this.#inner.put(key, bytes, options);
  }

  get(key: ObjectKey, options?: GetOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inner.get(key, options);
  }

  stat(key: ObjectKey, options?: RequestOptions): ReturnType<ObjectStore['stat']> {
    return this.#inner.stat(key, options);
  }

  async delete(key: ObjectKey, options?: RequestOptions): Promise<void> {
    this.#guard.requireOwned();
    return this.#inner.delete(key, options);
  }

  async deleteMany(keys: readonly ObjectKey[], options?: RequestOptions): Promise<void> {
    this.#guard.requireOwned();
    return this.#inner.deleteMany(keys, options);
  }

  list(prefix: string, options?: RequestOptions): AsyncIterable<ListedObject> {
    return this.#inner.list(prefix, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
