/** A block cache on a temporary directory with a fake database and store, which can crash and be opened again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockCacheLog, BlockCacheOptions } from '../../../src/blocks/block-cache-options.ts';
import { openBlockCache } from '../../../src/blocks/open-block-cache.ts';
import type { RecoverySummary } from '../../../src/blocks/recovery.ts';
import type { SegmentedBlockCache } from '../../../src/blocks/segmented-block-cache.ts';
import type { InodeId } from '../../../src/metadata/types.ts';
import { FakeBlockDatabase } from './fake-block-database.ts';
import { FakeObjectStore } from './fake-object-store.ts';

export class BlockCacheFixture implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 's3ql-blocks-'));
  readonly database: FakeBlockDatabase = new FakeBlockDatabase();
  readonly store: FakeObjectStore = new FakeObjectStore();
  readonly errors: string[] = [];
  readonly #overrides: Partial<BlockCacheOptions>;
  #cache: SegmentedBlockCache | undefined;
  recovery: RecoverySummary | undefined;

  readonly #log: BlockCacheLog = {
    info: () => {},
    warn: (message) => this.errors.push(message),
    error: (message) => this.errors.push(message),
  };

  constructor(overrides: Partial<BlockCacheOptions> = {}) {
    this.#overrides = overrides;
  }

  static async open(overrides: Partial<BlockCacheOptions> = {}): Promise<BlockCacheFixture> {
    const fixture = new BlockCacheFixture(overrides);
    await fixture.open();
    return fixture;
  }

  get cache(): SegmentedBlockCache {
    if (!this.#cache) throw new Error('the cache is not open');
    return this.#cache;
  }

  async open(overrides: Partial<BlockCacheOptions> = {}): Promise<void> {
    const { cache, recovery } = await openBlockCache({
      directory: this.directory,
      blockSizeBytes: 8192,
      database: this.database,
      objects: this.store,
      limits: { sizeBytes: 64 * 1024 * 1024, entryCount: 10_000 },
      compression: { algorithm: 'none', level: 0 },
      requestDurable: () => this.durable(),
      log: this.#log,
      dirtyUploadDelayMs: 3_600_000,
      ...this.#overrides,
      ...overrides,
    });
    this.#cache = cache;
    this.recovery = recovery;
  }

  /** The commit cycle. */
  durable(): Promise<void> {
    const cache = this.#cache;
    this.database.commit();
    const epoch = this.database.makeDurable();
    cache?.epochDurable(epoch);
    return Promise.resolve();
  }

  /** Writes, and sets the file's size as the file system does. */
  async write(inode: InodeId, offset: number, data: Uint8Array): Promise<void> {
    const size = this.database.inodes.get(inode)?.size ?? 0n;
    if (size === 0n) this.database.setSize(inode, 0n);
    await this.cache.write(inode, BigInt(offset), data);
    const end = BigInt(offset + data.length);
    this.database.setSize(inode, end > size ? end : size);
  }

  async read(inode: InodeId, offset: number, lengthBytes: number): Promise<Uint8Array> {
    const into = new Uint8Array(lengthBytes).fill(0xee);
    await this.cache.read(inode, BigInt(offset), into);
    return into;
  }

  async close(keep = false): Promise<void> {
    // Uploads that are still under way need it to hear what is durable.
    await this.#cache?.close({ keep });
    this.#cache = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function inodeId(id: number): InodeId {
  return id as InodeId;
}

/** Bytes that differ from place to place and from seed to seed. */
export function patternBytes(seed: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthBytes);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let index = 0; index < lengthBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = (state >>> 24) | 1;
  }
  return bytes;
}
