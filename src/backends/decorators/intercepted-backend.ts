/** The common part of decorators: a backend that passes every operation on, through one method that a decorator overrides. */
import type {
  Backend,
  Capabilities,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectKey,
  ObjectStat,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from '../backend.ts';
import type { ObjectMetadata } from '../object-metadata.ts';

export type OperationName = 'store' | 'fetch' | 'stat' | 'delete' | 'deleteMany' | 'copy' | 'list';

/** An operation under way, as a decorator sees it. */
export interface Operation {
  readonly name: OperationName;
  /** As for a message: `object s3ql_data_1`, `30 objects`, `objects with prefix s3ql_`. */
  readonly subject: string;
  readonly signal: AbortSignal | undefined;
}

export abstract class InterceptedBackend implements Backend {
  protected readonly inner: Backend;

  constructor(inner: Backend) {
    this.inner = inner;
  }

  get url(): string {
    return this.inner.url;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  /** Called for each operation; calls `run` as often as it likes. For a listing `run` gets its next key. */
  protected abstract around<T>(operation: Operation, run: () => Promise<T>): Promise<T>;

  store(key: ObjectKey, metadata: ObjectMetadata, payload: readonly Uint8Array[], options?: StoreOptions): Promise<StoreResult> {
    return this.around(operation('store', objectText(key), options), () => this.inner.store(key, metadata, payload, options));
  }

  fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject> {
    return this.around(operation('fetch', objectText(key), options), () => this.inner.fetch(key, options));
  }

  stat(key: ObjectKey, options?: RequestOptions): Promise<ObjectStat> {
    return this.around(operation('stat', objectText(key), options), () => this.inner.stat(key, options));
  }

  delete(key: ObjectKey, options?: RequestOptions): Promise<void> {
    return this.around(operation('delete', objectText(key), options), () => this.inner.delete(key, options));
  }

  deleteMany(keys: readonly ObjectKey[], options?: RequestOptions): Promise<void> {
    return this.around(operation('deleteMany', `${keys.length} objects`, options), () => this.inner.deleteMany(keys, options));
  }

  copy(source: ObjectKey, target: ObjectKey, options?: RequestOptions): Promise<void> {
    return this.around(operation('copy', objectText(source), options), () => this.inner.copy(source, target, options));
  }

  async *list(prefix: string, options?: RequestOptions): AsyncGenerator<ListedObject> {
    const listing = this.inner.list(prefix, options)[Symbol.asyncIterator]();
    const subject = operation('list', prefixText(prefix), options);
    try {
      for (;;) {
        const next = await this.around(subject, () => listing.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await listing.return?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }
}

export function objectText(key: ObjectKey): string {
  return `object ${key}`;
}

export function prefixText(prefix: string): string {
  return prefix === '' ? 'all objects' : `objects with prefix ${prefix}`;
}

export function operation(name: OperationName, subject: string, options: RequestOptions | undefined): Operation {
  return { name, subject, signal: options?.signal };
}
