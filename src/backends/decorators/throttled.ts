import { totalBytes } from '../../util/total-bytes.ts';
import type { Backend, FetchedObject, FetchOptions, ObjectKey, StoreOptions, StoreResult } from '../backend.ts';
import type { Bandwidth } from '../bandwidth/bandwidth.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

/** Keeps payloads to a bandwidth where the store's client does not: a payload goes at once, and the next ones wait until it is paid for. */
export class ThrottledBackend extends InterceptedBackend {
  readonly #bandwidth: Bandwidth;

  constructor(inner: Backend, bandwidth: Bandwidth) {
    super(inner);
    this.#bandwidth = bandwidth;
  }

  override async store(
    key: ObjectKey,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    options?: StoreOptions,
  ): Promise<StoreResult> {
    const sizeBytes = totalBytes(payload);
    await this.#bandwidth.upload.pass(sizeBytes, options?.signal);
    return super.store(key, metadata, payload, options);
  }

  override async fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject> {
    const fetched = await super.fetch(key, options);
    await this.#bandwidth.download.pass(fetched.payload.byteLength, options?.signal);
    return fetched;
  }

  protected around<T>(_operation: Operation, run: () => Promise<T>): Promise<T> {
    return run();
  }
}
