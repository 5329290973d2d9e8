/**
 * A small file system in a local store, made by mkfs, with one of everything in it; as good as new for every test, which then damages it:
 * the copy of the metadata on this machine, which fsck uses because it is current, or the objects in the store.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openBlockCache } from '../../../src/blocks/open-block-cache.ts';
import { fsckSpec } from '../../../src/cli/options/fsck.ts';
import { parseCommand } from '../../../src/cli/parse-command.ts';
import type { CheckResult } from '../../../src/cli/run-fsck.ts';
import { runMkfs } from '../../../src/cli/run-mkfs.ts';
import { storageSettings, type StorageSettings } from '../../../src/cli/storage-settings.ts';
import { FileSystem } from '../../../src/filesystem/file-system.ts';
import { SUPERBLOCK_KEY } from '../../../src/metadata/object-keys.ts';
import { SqliteMetadata } from '../../../src/metadata/sqlite-metadata.ts';
import { type Superblock, writeSuperblock } from '../../../src/metadata/superblock.ts';
import type { InodeId } from '../../../src/metadata/types.ts';
import { checkFileSystem } from '../../../src/mount/check-file-system.ts';
import { LocalDirectory } from '../../../src/mount/local-directory.ts';
import { makeFileSystem } from '../../../src/mount/make-file-system.ts';
import { openStore } from '../../../src/mount/open-store.ts';
import { storeDatabase } from '../../../src/mount/store-database.ts';
import { SuperblockKeeper } from '../../../src/mount/superblock-keeper.ts';
import type { Interaction } from '../../../src/util/interaction.ts';
import { silentProgress } from '../../../src/util/progress.ts';
import { StoreReader } from '../store-reader.ts';

export const BLOCK_BYTES = 4096;
export const COMPRESSION = { algorithm: 'zlib', level: 1 } as const;
const ROOT = 1 as InodeId;
const CALLER = { uid: 1000, gid: 100, umask: 0o022 };

export const interaction: Interaction = {
  progress: silentProgress,
  signal: new AbortController().signal,
  askSecret: () => Promise.reject(new Error('no secret is needed')),
};

export class DamagedFileSystem implements Disposable {
  readonly root: string;
  readonly storeDirectory: string;
  readonly url: string;

  private constructor(root: string) {
    this.root = root;
    this.storeDirectory = join(root, 'store');
    this.url = `local://${this.storeDirectory}`;
  }

  static async create(): Promise<DamagedFileSystem> {
    const system = new DamagedFileSystem(mkdtempSync(join(tmpdir(), 's3ql-check-')));
    mkdirSync(system.storeDirectory);
    const options = ['--plain', '--data-block-size', String(BLOCK_BYTES / 1024), '--metadata-block-size', '16', ...system.argv];
    await runMkfs(options, makeFileSystem);
    await system.use(fill);
    for (const name of ['store', 'cache']) cpSync(join(system.root, name), join(system.root, 'template', name), { recursive: true });
    return system;
  }

  /** What every command is given. */
  get argv(): string[] {
    return ['--cachedir', join(this.root, 'cache'), '--authfile', join(this.root, 'none'), this.url];
  }

  get localDirectory(): string {
    const name = readdirSync(join(this.root, 'cache')).find((entry) => entry.startsWith('local:'));
    return join(this.root, 'cache', name ?? '');
  }

  /** Everything as it was after `create`. */
  reset(): void {
    for (const name of ['store', 'cache']) {
      rmSync(join(this.root, name), { recursive: true, force: true });
      cpSync(join(this.root, 'template', name), join(this.root, name), { recursive: true });
    }
  }

  /** Forgets what this machine knows. */
  forgetLocal(): void {
    rmSync(join(this.root, 'cache'), { recursive: true });
    mkdirSync(join(this.root, 'cache'));
  }

  /** Changes the local copy of the metadata. */
  sql(statements: string): void {
    const database = new DatabaseSync(join(this.localDirectory, 'metadata.db'), { enableForeignKeyConstraints: false });
    database.exec(statements);
    database.close();
  }

  /** First column of the first row. */
  value(query: string): unknown {
    const database = new DatabaseSync(join(this.localDirectory, 'metadata.db'));
    const row = database.prepare(query).get();
    database.close();
    return row && Object.values(row)[0];
  }

  objectPath(id: unknown): string {
    return join(this.storeDirectory, 's3ql_data_', `s3ql_data_${String(id)}`);
  }

  fsck(...options: readonly string[]): Promise<CheckResult> {
    return this.check('--force', '--fast', '--batch', ...options);
  }

  async check(...options: readonly string[]): Promise<CheckResult> {
    const request = parseCommand(fsckSpec, [...options, ...this.argv]);
    const ask = (): Promise<string> => Promise.reject(new Error('no question is expected'));
    return checkFileSystem({ ...request, storage: await this.settings(), compress: COMPRESSION }, { ...interaction, ask });
  }

  /** How many findings fsck has of each kind; none if all is well. */
  async findings(...options: readonly string[]): Promise<Record<string, number>> {
    const result = await this.fsck(...options);
    return result.state === 'clean' ? {} : { ...result.counts };
  }

  settings(): Promise<StorageSettings> {
    const request = parseCommand(fsckSpec, this.argv);
    return storageSettings(request, { ask: () => Promise.reject(new Error('no secret is needed')) });
  }

  /** Works on the file system as a mount would; `crash`: without an end. */
  async use(work: (fileSystem: FileSystem) => Promise<void>, { crash = false }: { crash?: boolean } = {}): Promise<void> {
    const storage = await this.settings();
    using local = new LocalDirectory(storage.cachedir, storage.backend.url);
    const { objects, superblock } = await openStore(storage, COMPRESSION, interaction);
    await using _objects = objects;
    const keeper = new SuperblockKeeper(local, objects, COMPRESSION);
    const mounted = { ...superblock, seqNo: superblock.seqNo + 1, isMounted: true, lastModifiedSeconds: Date.now() / 1000 };
    await keeper.publish(mounted);
    {
      using database = new SqliteMetadata(local.databasePath);
      const { cache } = await openBlockCache({
        directory: local.segmentsPath,
        blockSizeBytes: BLOCK_BYTES,
        database,
        objects,
        limits: { sizeBytes: 64 * 1024 * 1024, entryCount: 10_000 },
        compression: COMPRESSION,
        requestDurable: async () => void (await fileSystem.commits.syncMetadata()),
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
        dirtyUploadDelayMs: 3_600_000,
        diskReserveBytes: 0,
      });
      const fileSystem: FileSystem = new FileSystem({
        database,
        blocks: cache,
        onBackgroundError: (error) => {
          throw error;
        },
      });
      await work(fileSystem);
      await fileSystem.finish();
      if (!crash) {
        await cache.flush();
        await fileSystem.commits.syncMetadata();
      }
      await cache.close({ keep: crash });
    }
    if (crash) return;
    const { progress, signal } = interaction;
    await storeDatabase({
      local,
      objects,
      keeper,
      compression: COMPRESSION,
      connectionLimit: 4,
      superblock: mounted,
      requireOwned: () => Promise.resolve(),
      progress,
      signal,
    });
  }

  /** Every path in the store's newest metadata with what is there: type, and digest of the contents (`damaged` if they can't be read). */
  async tree(): Promise<Map<string, string>> {
    const reader = await StoreReader.open(this.storeDirectory, undefined);
    const copy = mkdtempSync(join(this.root, 'reader-'));
    using database = await reader.openDatabase(join(copy, 'metadata.db'));
    const rows = database
      .prepare(
        'SELECT CAST(name AS BLOB) AS name, inode, parent_inode AS parent, mode, size FROM contents_v JOIN inodes ON inodes.id = inode',
      )
      .all();
    const byParent = Map.groupBy(rows, (row) => row.parent);
    const found = new Map<string, string>();
    const visit = async (inode: unknown, path: string, depth: number): Promise<void> => {
      for (const row of byParent.get(inode as bigint) ?? []) {
        const below = `${path}/${Buffer.from(row.name as Uint8Array).toString('latin1')}`;
        const type = Number(row.mode) >> 12;
        found.set(below, type === 8 ? await contentOf(reader, database, row.inode, Number(row.size)) : `type ${type}`);
        if (depth < 64) await visit(row.inode, below, depth + 1);
      }
    };
    await visit(1n, '', 0);
    rmSync(copy, { recursive: true });
    return found;
  }

  async seqNo(): Promise<number> {
    const { objects, superblock } = await openStore(await this.settings(), COMPRESSION, interaction);
    await using _objects = objects;
    return superblock.seqNo;
  }

  /** Changes the superblock in the store. */
  async putSuperblock(changes: Partial<Superblock>): Promise<void> {
    const { objects, superblock } = await openStore(await this.settings(), COMPRESSION, interaction);
    await using _objects = objects;
    await objects.put(SUPERBLOCK_KEY, writeSuperblock({ ...superblock, ...changes }), { compression: COMPRESSION });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

async function contentOf(reader: StoreReader, database: DatabaseSync, inode: unknown, size: number): Promise<string> {
  const content = Buffer.alloc(Math.min(size, 1 << 24));
  for (const { blockno, obj_id: id } of database.prepare('SELECT blockno, obj_id FROM inode_blocks WHERE inode = ?').all(inode as bigint)) {
    try {
      content.set((await reader.read(`s3ql_data_${String(id)}`)).bytes, Number(blockno) * BLOCK_BYTES);
    } catch {
      return 'damaged';
    }
  }
  return createHash('sha256').update(content).digest('hex');
}

/** Deterministic bytes that do not compress to nothing. */
export function pattern(lengthBytes: number, seed: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < lengthBytes; index++) blocks.push(createHash('sha256').update(`${seed}:${index}`).digest());
  return Buffer.concat(blocks).subarray(0, lengthBytes);
}

async function fill(fs: FileSystem): Promise<void> {
  const name = (text: string): Buffer => Buffer.from(text);
  const file = async (parent: InodeId, path: string, content: Buffer): Promise<InodeId> => {
    const { id } = fs.directories.make(parent, name(path), 0o100644, 0, CALLER);
    if (content.length > 0) await fs.files.write(id, 0n, content, false);
    return id;
  };
  const directory = (parent: InodeId, path: string): InodeId => fs.directories.make(parent, name(path), 0o040755, 0, CALLER).id;
  await file(ROOT, 'small', name('a small file'));
  const work = directory(ROOT, 'work');
  const big = await file(work, 'big', pattern(5 * BLOCK_BYTES + 100, 1));
  fs.directories.link(big, ROOT, name('second_name'));
  await file(work, 'twin', pattern(5 * BLOCK_BYTES + 100, 1));
  await file(work, 'single', pattern(100, 2));
  await file(work, 'empty', name(''));
  fs.directories.makeSymlink(work, name('link'), name('../small'), CALLER);
  fs.directories.make(work, name('pipe'), 0o010644, 0, CALLER);
  fs.directories.make(work, name('device'), 0o020600, 0x0103, CALLER);
  const sparse = await file(work, 'sparse', name(''));
  await fs.files.write(sparse, BigInt(20 * BLOCK_BYTES), pattern(50, 3), false);
  const deep = directory(directory(work, 'deep'), 'deeper');
  const tagged = await file(deep, 'tagged', pattern(300, 4));
  fs.xattrs.set(tagged, name('user.comment'), name('keep me'), 0, false);
  fs.xattrs.set(deep, name('user.other'), name('also me'), 0, false);
}
