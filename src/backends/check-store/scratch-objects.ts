/** The objects that a check makes: under names that no file system uses and nobody else has. */
import { randomBytes } from 'node:crypto';
import type { Backend } from '../backend.ts';
import type { ObjectMetadata } from '../object-metadata.ts';

/** Never `s3ql_`. */
const PREFIX = 'check-store-';

/** The outer metadata of an encrypted data object: what S3QL stores with each. */
export const SCRATCH_METADATA: ObjectMetadata = {
  format_version: 2,
  compression: 'LZMA',
  encryption: 'AES_v2',
  nonce: randomBytes(46),
  data: randomBytes(24),
  object_id: 's3ql_data_1234567',
  signature: randomBytes(32),
};

export class ScratchObjects {
  readonly backend: Backend;
  /** All keys begin with it. */
  readonly prefix: string = `${PREFIX}${randomBytes(6).toString('hex')}-`;
  readonly #keys = new Set<string>();
  #count = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** A key that was not used yet. */
  readonly newKey: () => string = () => {
    this.#count += 1;
    const key = `${this.prefix}${this.#count}`;
    this.#keys.add(key);
    return key;
  };

  newKeys(count: number): string[] {
    return Array.from({ length: count }, () => this.newKey());
  }

  /** The objects that are listed now, of all that were made. */
  async listed(signal: AbortSignal): Promise<Set<string>> {
    const keys = await Array.fromAsync(this.backend.list(this.prefix, { signal }), ({ key }) => key);
    return new Set(keys);
  }

  /** Removes all that was made, listed or not. @throws what the store throws */
  async remove(): Promise<void> {
    await this.backend.deleteMany([...this.#keys]);
    this.#keys.clear();
  }
}
