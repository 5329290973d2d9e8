/**
 * Plaintext in, plaintext out: ties an envelope (compression, encryption, integrity) to a backend, with the heavy work in a pool of
 * worker threads. What lies above knows keys and plaintext only.
 */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { ListedObject, ObjectKey, RequestOptions, StoreOptions } from '../backends/backend.ts';

/** Bytes of a block: in memory (ownership passes to the callee: the buffer may be transferred), or part of an open file. */
export type BlockSource =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly fd: number; readonly position: number; readonly lengthBytes: number };

/** A block that has been read and hashed by a worker; pass its bytes to `put` or drop it. */
export interface HashedBlock {
  /** SHA-256 of the plaintext, 32 bytes. */
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PutOptions extends StoreOptions {
  readonly compression: CompressionSpec;
}

export interface PutResult {
  readonly storedSizeBytes: number;
  readonly version?: string;
}

export interface GetOptions extends RequestOptions {
  /** SHA-256 that the plaintext must have. */
  readonly expectedDigest?: Uint8Array;
  /** Most that the plaintext may have; guards against objects that decompress to something huge. */
  readonly maxSizeBytes?: number;
}

export interface ObjectStore extends AsyncDisposable {
  readonly url: string;
  /** Reads (if a file part) and hashes a block in a worker thread. */
  hash(source: BlockSource): Promise<HashedBlock>;
  /** Compresses, encrypts and stores. `bytes` is consumed. Resolves when durable in the store. */
  put(key: ObjectKey, bytes: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult>;
  /**
   * Fetches, verifies, decrypts and decompresses.
   * @throws NoSuchObjectError, CorruptedObjectError (also for a wrong key, a wrong name, a digest other than `expectedDigest`)
   */
  get(key: ObjectKey, options?: GetOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Whether the object is there, and what it takes in the store; its content is not looked at. @throws NoSuchObjectError, CorruptedObjectError */
  stat(key: ObjectKey, options?: RequestOptions): Promise<{ readonly storedSizeBytes: number }>;
  delete(key: ObjectKey, options?: RequestOptions): Promise<void>;
  deleteMany(keys: readonly ObjectKey[], options?: RequestOptions): Promise<void>;
  list(prefix: string, options?: RequestOptions): AsyncIterable<ListedObject>;
}
