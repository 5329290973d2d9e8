/** A whole file system without a kernel: real database, real block cache in a temporary directory, a store in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBackend } from '../../src/backends/memory-backend.ts';
import { openBlockCache } from '../../src/blocks/open-block-cache.ts';
import type { SegmentedBlockCache } from '../../src/blocks/segmented-block-cache.ts';
import { masterKeyEnvelope } from '../../src/envelope/envelope.ts';
import { FileSystem } from '../../src/filesystem/file-system.ts';
import { createDatabase } from '../../src/metadata/create-database.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import type { InodeId } from '../../src/metadata/types.ts';
import { SealedObjectStore } from '../../src/objects/sealed-object-store.ts';

export const BLOCK_BYTES = 16_384;
export const ROOT: InodeId = 1 as InodeId;
export const CALLER = { uid: 1000, gid: 100, umask: 0o022 };

export class MemoryFileSystem implements AsyncDisposable {
  readonly fs: FileSystem;
  readonly database: SqliteMetadata;
  readonly blocks: SegmentedBlockCache;
  readonly backend: MemoryBackend;
  readonly #objects: SealedObjectStore;
  readonly #directory: string;

  private constructor(parts: {
    fs: FileSystem;
    database: SqliteMetadata;
    blocks: SegmentedBlockCache;
    backend: MemoryBackend;
    objects: SealedObjectStore;
    directory: string;
  }) {
    this.fs = parts.fs;
    this.database = parts.database;
    this.blocks = parts.blocks;
    this.backend = parts.backend;
    this.#objects = parts.objects;
    this.#directory = parts.directory;
  }

  static async open(): Promise<MemoryFileSystem> {
    const directory = mkdtempSync(join(tmpdir(), 's3ql-fs-'));
    const path = join(directory, 'metadata.db');
    createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 1_000n });
    const database = new SqliteMetadata(path);
    const backend = new MemoryBackend();
    const objects = new SealedObjectStore({ backend, envelope: masterKeyEnvelope(new Uint8Array(32)), maxThreads: 2 });
    const unexpected = (message: string): never => {
      throw new Error(`unexpected log message: ${message}`);
    };
    const { cache: blocks } = await openBlockCache({
      directory: join(directory, 'segments'),
      blockSizeBytes: BLOCK_BYTES,
      database,
      objects,
      limits: { sizeBytes: 64 * 1024 * 1024, entryCount: 10_000 },
      compression: { algorithm: 'zlib', level: 1 },
      requestDurable: async () => void (await fs.commits.syncMetadata()),
      log: { info: () => undefined, warn: unexpected, error: unexpected },
      dirtyUploadDelayMs: 3_600_000,
      diskReserveBytes: 0,
    });
    const fs: FileSystem = new FileSystem({
      database,
      blocks,
      onBackgroundError: (error) => {
        throw error;
      },
    });
    return new MemoryFileSystem({ fs, database, blocks, backend, objects, directory });
  }

  /** Reads a file whole. */
  async contents(id: InodeId): Promise<Buffer> {
    const bytes = Buffer.alloc(Number(this.fs.inode(id).size));
    const count = await this.fs.files.read(id, 1, 0n, bytes);
    return bytes.subarray(0, count);
  }

  /** Makes a regular file with these contents. */
  async file(parent: InodeId, name: string, contents: string | Uint8Array = ''): Promise<InodeId> {
    const { id } = this.fs.directories.make(parent, Buffer.from(name), 0o100644, 0, CALLER);
    await this.fs.files.write(id, 0n, Buffer.from(contents), false);
    return id;
  }

  directory(parent: InodeId, name: string): InodeId {
    return this.fs.directories.make(parent, Buffer.from(name), 0o040755, 0, CALLER).id;
  }

  lookup(parent: InodeId, name: string): InodeId | undefined {
    return this.fs.directories.lookup(parent, Buffer.from(name))?.id;
  }

  names(directory: InodeId): string[] {
    return this.fs
      .list(directory, 0, 1_000)
      .map((entry) => Buffer.from(entry.name).toString())
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fs.finish();
    await this.blocks.close({ keep: false });
    this.database[Symbol.dispose]();
    await this.#objects[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true });
  }
}
