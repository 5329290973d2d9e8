/** An object store of which nothing is changed, whoever tries. */
import type { ListedObject, ObjectKey, RequestOptions } from '../backends/backend.ts';
import type { BlockSource, GetOptions, HashedBlock, ObjectStore, PutResult } from '../objects/object-store.ts';
import { FsError } from '../util/errors.ts';

export class ReadOnlyObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;

  /** Does not own `inner`. */
  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  get url(): string {
    return this.#inner.url;
  }

  hash(source: BlockSource): Promise<HashedBlock> {
    return this.#inner.hash(source);
  }

  put(): Promise<PutResult> {
    return refuse();
  }

  get(key: ObjectKey, options?: GetOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inner.get(key, options);
  }

  stat(key: ObjectKey, options?: RequestOptions): ReturnType<ObjectStore['stat']> {
    return this.#inner.stat(key, options);
  }

  delete(): Promise<void> {
    return refuse();
  }

  deleteMany(): Promise<void> {
    return refuse();
  }

  list(prefix: string, options?: RequestOptions): AsyncIterable<ListedObject> {
    return this.#inner.list(prefix, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new FsError('EROFS', 'the store is only read'));
}
