/** An object store in memory that can be told to fail, to wait, and to damage what it holds. */
import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { BackendError, CorruptedObjectError, NoSuchObjectError } from '../../../src/backends/errors.ts';
import type { ObjectKey } from '../../../src/backends/backend.ts';
import type { BlockSource, HashedBlock, ObjectStore, PutResult } from '../../../src/objects/object-store.ts';

type Operation = 'put' | 'get' | 'delete' | 'hash';

const readAsync = promisify(read);

export class FakeObjectStore implements Pick<ObjectStore, 'hash' | 'put' | 'get' | 'deleteMany'> {
  readonly content: Map<ObjectKey, Uint8Array>;
  readonly counts: Record<Operation, number> = { put: 0, get: 0, delete: 0, hash: 0 };
  readonly active: Record<Operation, number> = { put: 0, get: 0, delete: 0, hash: 0 };
  readonly maxActive: Record<Operation, number> = { put: 0, get: 0, delete: 0, hash: 0 };
  /** Called when an operation begins; may throw, or return what to wait for. */
  before: (operation: Operation, keys: readonly ObjectKey[]) => void | Promise<void> = () => {};

  constructor(content: Map<ObjectKey, Uint8Array> = new Map()) {
    this.content = content;
  }

  async #run<T>(operation: Operation, keys: readonly ObjectKey[], work: () => T | Promise<T>): Promise<T> {
    this.counts[operation] += 1;
    this.active[operation] += 1;
    this.maxActive[operation] = Math.max(this.maxActive[operation], this.active[operation]);
    try {
      await this.before(operation, keys);
      return await work();
    } finally {
      this.active[operation] -= 1;
    }
  }

  hash(source: BlockSource): Promise<HashedBlock> {
    return this.#run('hash', [], async () => {
      let bytes: Uint8Array<ArrayBuffer>;
      if ('bytes' in source) ({ bytes } = source);
      else {
        bytes = new Uint8Array(source.lengthBytes);
        await readAsync(source.fd, bytes, 0, source.lengthBytes, source.position);
      }
      return { digest: createHash('sha256').update(bytes).digest(), bytes };
    });
  }

  put(key: ObjectKey, bytes: Uint8Array<ArrayBuffer>): Promise<PutResult> {
    const copy = bytes.slice();
    return this.#run('put', [key], () => {
      this.content.set(key, copy);
      return { storedSizeBytes: copy.length };
    });
  }

  get(key: ObjectKey, options?: { readonly expectedDigest?: Uint8Array }): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run('get', [key], () => {
      const bytes = this.content.get(key);
      if (!bytes) throw new NoSuchObjectError(key);
      const digest = createHash('sha256').update(bytes).digest();
      if (options?.expectedDigest && Buffer.compare(digest, options.expectedDigest) !== 0)
        throw new CorruptedObjectError(`object ${key} is damaged`);
      return bytes.slice();
    });
  }

  deleteMany(keys: readonly ObjectKey[]): Promise<void> {
    return this.#run('delete', keys, () => {
      for (const key of keys) this.content.delete(key);
    });
  }
}

export function storeFailure(): BackendError {
  return new BackendError('the store is on strike', { temporary: true });
}
