/** An ObjectStore without envelope or threads: a map of plaintexts that tests can look into and damage, with faults on request. */
import { createHash } from 'node:crypto';
import { NoSuchObjectError } from '../../src/backends/errors.ts';
import type { ListedObject } from '../../src/backends/backend.ts';
import type { BlockSource, HashedBlock, ObjectStore, PutResult } from '../../src/objects/object-store.ts';

export class MapObjectStore implements ObjectStore {
  readonly url: string = 'map://';
  readonly objects: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  /** Called before every operation; what it throws is the operation's failure. */
  onRequest: (operation: 'put' | 'get' | 'delete' | 'list', key: string) => void = () => {};

  hash(source: BlockSource): Promise<HashedBlock> {
    if (!('bytes' in source)) return Promise.reject(new Error('the map hashes no files'));
    return Promise.resolve({ digest: createHash('sha256').update(source.bytes).digest(), bytes: source.bytes });
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<PutResult> {
    this.onRequest('put', key);
    this.objects.set(key, bytes);
    return { storedSizeBytes: bytes.length };
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer>> {
    this.onRequest('get', key);
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new NoSuchObjectError(key);
    return bytes.slice();
  }

  async stat(key: string): Promise<{ readonly storedSizeBytes: number }> {
    this.onRequest('get', key);
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new NoSuchObjectError(key);
    return { storedSizeBytes: bytes.length };
  }

  async delete(key: string): Promise<void> {
    this.onRequest('delete', key);
    this.objects.delete(key);
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    this.onRequest('list', prefix);
    for (const key of this.objects.keys()) if (key.startsWith(prefix)) yield { key };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
