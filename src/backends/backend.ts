/**
 * What every object store looks like to the rest of the program.
 *
 * Invariants every implementation keeps (tests/backends/conformance runs them):
 * - an object is visible to fetch, stat and list only as a whole, with its metadata;
 * - `store` resolves only when the object is durable in the store;
 * - after `store` or `delete` resolves, fetch, stat and list agree with it at once;
 * - no method keeps or changes the buffers it is given after it resolved.
 */
import type { ObjectMetadata } from './object-metadata.ts';

/** Name of an object without the storage URL's prefix, e.g. `s3ql_data_42`. */
export type ObjectKey = string;

/** What a store can do. The engine asks here and falls back; it never asks which store it is. */
export interface Capabilities {
  /** `store` with `ifAbsent` is atomic. */
  readonly conditionalCreate: boolean;
  /** `store` with `ifVersion` is atomic. */
  readonly conditionalReplace: boolean;
  /** `fetch` with `range` transfers only that range. */
  readonly range: boolean;
  /** The largest number of keys that `deleteMany` sends in one request; 1 if each key is a request of its own. */
  readonly batchDelete: number;
  /** `copy` works, without transferring the object. */
  readonly serverCopy: boolean;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface StoreOptions extends RequestOptions {
  /** Fail with PreconditionFailedError if the key exists. Only with capability conditionalCreate. */
  readonly ifAbsent?: boolean;
  /** Fail with PreconditionFailedError unless the object has this version. Only with capability conditionalReplace. */
  readonly ifVersion?: string;
  /** The caller does not need the payload's buffers any more: the store may transfer them to another thread instead of copying them. */
  readonly consumePayload?: boolean;
}

export interface StoreResult {
  /** Bytes occupied in the store, as S3QL counts them in objects.phys_size (local: file size; HTTP: payload length). */
  readonly storedSizeBytes: number;
  /** Opaque version for `ifVersion`; present with capability conditionalReplace. */
  readonly version?: string;
}

export interface FetchOptions extends RequestOptions {
  /** Part of the payload, clipped to it: empty beyond its end. The metadata is always whole. */
  readonly range?: { readonly offset: number; readonly lengthBytes: number };
}

export interface ObjectStat {
  readonly metadata: ObjectMetadata;
  readonly storedSizeBytes: number;
  readonly version?: string;
  readonly lastModifiedMs?: number;
}

export interface FetchedObject extends ObjectStat {
  readonly payload: Uint8Array;
}

export interface ListedObject {
  readonly key: ObjectKey;
  readonly storedSizeBytes?: number;
}

export interface Backend extends AsyncDisposable {
  /** Canonical storage URL, without credentials; for messages. */
  readonly url: string;
  readonly capabilities: Capabilities;

  /** Stores metadata and payload (the concatenation of the parts) under the key, replacing what was there. */
  store(key: ObjectKey, metadata: ObjectMetadata, payload: readonly Uint8Array[], options?: StoreOptions): Promise<StoreResult>;
  /** @throws NoSuchObjectError, CorruptedObjectError */
  fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject>;
  /** @throws NoSuchObjectError, CorruptedObjectError */
  stat(key: ObjectKey, options?: RequestOptions): Promise<ObjectStat>;
  /** Deleting what is not there is not an error. */
  delete(key: ObjectKey, options?: RequestOptions): Promise<void>;
  /** Deletes all keys; those that are not there are no error. If it rejects, some may be deleted. */
  deleteMany(keys: readonly ObjectKey[], options?: RequestOptions): Promise<void>;
  /**
   * Copies an object as it is, metadata too, under another key, replacing what was there. Only with capability serverCopy.
   * @throws NoSuchObjectError for the source
   */
  copy(source: ObjectKey, target: ObjectKey, options?: RequestOptions): Promise<void>;
  /** All keys that begin with the prefix, in any order, each once. */
  list(prefix: string, options?: RequestOptions): AsyncIterable<ListedObject>;
}
