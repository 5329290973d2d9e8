import type { FetchedObject, FetchOptions, ObjectKey, StoreOptions, StoreResult } from '../backend.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation, OperationName } from './intercepted-backend.ts';

/** What one kind of operation has come to. */
export interface OperationMetrics {
  readonly count: number;
  readonly failures: number;
  /** Payload sent or received. */
  readonly payloadBytes: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

const NOTHING: OperationMetrics = { count: 0, failures: 0, payloadBytes: 0, totalMs: 0, longestMs: 0 };

/** Counts operations, their bytes and their time. A listing counts an operation for each key and one for its end. */
export class MeteredBackend extends InterceptedBackend {
  readonly #metrics: Record<OperationName, OperationMetrics> = {
    store: NOTHING,
    fetch: NOTHING,
    stat: NOTHING,
    delete: NOTHING,
    deleteMany: NOTHING,
    list: NOTHING,
  };

  /** The figures so far; a copy. */
  get metrics(): Readonly<Record<OperationName, OperationMetrics>> {
    return { ...this.#metrics };
  }

  override async store(
    key: ObjectKey,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    options?: StoreOptions,
  ): Promise<StoreResult> {
    const sizeBytes = payload.reduce((sum, part) => sum + part.byteLength, 0);
    const result = await super.store(key, metadata, payload, options);
    this.#add('store', { payloadBytes: sizeBytes });
    return result;
  }

  override async fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject> {
    const fetched = await super.fetch(key, options);
    this.#add('fetch', { payloadBytes: fetched.payload.byteLength });
    return fetched;
  }

  protected async around<T>({ name }: Operation, run: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let failures = 1;
    try {
      const result = await run();
      failures = 0;
      return result;
    } finally {
      const elapsedMs = performance.now() - startedMs;
      this.#add(name, { count: 1, failures, totalMs: elapsedMs, longestMs: elapsedMs });
    }
  }

  #add(name: OperationName, added: Partial<OperationMetrics>): void {
    const { count, failures, payloadBytes, totalMs, longestMs } = { ...NOTHING, ...added };
    const sum = this.#metrics[name];
    this.#metrics[name] = {
      count: sum.count + count,
      failures: sum.failures + failures,
      payloadBytes: sum.payloadBytes + payloadBytes,
      totalMs: sum.totalMs + totalMs,
      longestMs: Math.max(sum.longestMs, longestMs),
    };
  }
}
