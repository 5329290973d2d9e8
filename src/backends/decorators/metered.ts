import type {
  Backend,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectKey,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from '../backend.ts';
import { totalBytes } from '../../util/total-bytes.ts';
import { NoSuchObjectError, PreconditionFailedError } from '../errors.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import type { StoreMetrics } from '../store-metrics.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

/** Counts operations, their bytes and their time. A listing is one operation, whose time is that spent waiting for keys. */
export class MeteredBackend extends InterceptedBackend {
  readonly #metrics: StoreMetrics;

  constructor(inner: Backend, metrics: StoreMetrics) {
    super(inner);
    this.#metrics = metrics;
  }

  override async store(
    key: ObjectKey,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    options?: StoreOptions,
  ): Promise<StoreResult> {
    const sizeBytes = totalBytes(payload);
    const result = await super.store(key, metadata, payload, options);
    this.#metrics.add('store', { payloadBytes: sizeBytes });
    return result;
  }

  override async fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject> {
    const fetched = await super.fetch(key, options);
    this.#metrics.add('fetch', { payloadBytes: fetched.payload.byteLength });
    return fetched;
  }

  override async *list(prefix: string, options?: RequestOptions): AsyncGenerator<ListedObject> {
    const listing = this.inner.list(prefix, options)[Symbol.asyncIterator]();
    let totalMs = 0;
    let failures = 0;
    try {
      for (;;) {
        const startedMs = performance.now();
        const next = await listing
          .next()
          .catch((error: unknown) => {
            failures = 1;
            throw error;
          })
          .finally(() => (totalMs += performance.now() - startedMs));
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      this.#metrics.add('list', { count: 1, failures, totalMs, longestMs: totalMs });
      await listing.return?.();
    }
  }

  protected async around<T>({ name }: Operation, run: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let failures = 0;
    try {
      return await run();
    } catch (error) {
      if (!isAnswer(error)) failures = 1;
      throw error;
    } finally {
      const elapsedMs = performance.now() - startedMs;
      this.#metrics.add(name, { count: 1, failures, totalMs: elapsedMs, longestMs: elapsedMs });
    }
  }
}

/** That something is not there, or not as expected, is as good an answer as any. */
function isAnswer(error: unknown): boolean {
  return error instanceof NoSuchObjectError || error instanceof PreconditionFailedError;
}
