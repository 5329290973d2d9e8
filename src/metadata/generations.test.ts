/** Generations: what is uploaded, what is found again, and what remains when something goes wrong between. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MapObjectStore } from '../../tests/support/map-object-store.ts';
import { CorruptedObjectError } from '../backends/errors.ts';
import type { ProgressFigures, ProgressReporter } from '../util/progress.ts';
import { createDatabase } from './create-database.ts';
import { DamagedGenerationError, downloadGeneration, downloadRemains } from './generation-download.ts';
import { nextSeqNo, uploadGeneration } from './generation-upload.ts';
import { fetchSuperblock, listGenerations, publishSuperblock } from './generations.ts';
import { type LocalPaths, readLocalSuperblock } from './local-state.ts';
import { generationKey, pieceKey } from './object-keys.ts';
import { SnapshotWorker } from './snapshot.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';
import type { Superblock } from './superblock.ts';
import { type Inode, ROOT_INODE } from './types.ts';

const COMPRESSION = { algorithm: 'none', level: 0 } as const;
const PIECE_BYTES = 2 * 4096;

let directory: string;
let store: MapObjectStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-generations-'));
  store = new MapObjectStore();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function superblockOf(seqNo: number): Superblock {
  return {
    dataBlockSizeBytes: 1_048_576,
    metadataBlockSizeBytes: PIECE_BYTES,
    seqNo,
    databaseSizeBytes: 0,
    revision: 26,
    label: 'test',
    needsFsck: false,
    isMounted: false,
    inodeGeneration: 0,
    lastFsckSeconds: 1.5,
    lastModifiedSeconds: 1_000_000 + seqNo,
    databaseDigestHex: '',
  };
}

/** One machine with its copy of the metadata. */
class Machine implements AsyncDisposable {
  readonly paths: LocalPaths;
  database: SqliteMetadata;
  worker: SnapshotWorker;

  constructor(name: string) {
    const prefix = join(directory, name);
    this.paths = { databasePath: `${prefix}.db`, paramsPath: `${prefix}.params`, piecesPath: `${prefix}.pieces` };
    if (!existsSync(this.paths.databasePath)) createDatabase(this.paths.databasePath, { rootUid: 0, rootGid: 0, nowNs: 0n });
    this.database = new SqliteMetadata(this.paths.databasePath);
    this.worker = new SnapshotWorker(this.database);
  }

  setUid(uid: number): void {
    const root = this.database.inodes.get(ROOT_INODE) as Inode;
    root.uid = uid;
    this.database.inodes.update(root);
  }

  grow(entryCount: number): void {
    for (let n = 0; n < entryCount; n++) this.database.entries.insert(ROOT_INODE, Buffer.from(`${n}`.padEnd(200, 'x')), ROOT_INODE);
  }

  async upload(seqNo: number, options: { signal?: AbortSignal; progress?: ProgressReporter } = {}): Promise<readonly number[]> {
    this.database.commit();
    using snapshot = await this.worker.freeze(PIECE_BYTES);
    const uploaded = await uploadGeneration({
      store,
      paths: this.paths,
      snapshot,
      superblock: superblockOf(seqNo),
      compression: COMPRESSION,
      connectionLimit: 3,
      ...options,
    });
    return uploaded.uploadedPieces;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    this.database[Symbol.dispose]();
  }
}

function pathsOf(name: string): LocalPaths {
  const prefix = join(directory, name);
  return { databasePath: `${prefix}.db`, paramsPath: `${prefix}.params`, piecesPath: `${prefix}.pieces` };
}

/** The root's uid in a database file that passes SQLite's check. */
function uidIn(path: string): unknown {
  using connection = new DatabaseSync(path);
  return connection.prepare("SELECT uid FROM inodes WHERE id = 1 AND (SELECT integrity_check FROM pragma_integrity_check) = 'ok'").get()?.[
    'uid'
  ];
}

async function restore(seqNo: number): Promise<unknown> {
  const generation = (await listGenerations(store)).find((candidate) => candidate.seqNo === seqNo);
  if (generation?.superblock === undefined) throw new Error(`no generation ${seqNo}`);
  const paths = pathsOf(`restored-${seqNo}`);
  await downloadGeneration({ store, paths, superblock: generation.superblock });
  return uidIn(paths.databasePath);
}

test('every generation is found again as it was, though each uploads only what changed', async () => {
  await using machine = new Machine('a');
  machine.grow(300);
  const counts: number[] = [];
  for (let seqNo = 1; seqNo <= 4; seqNo++) {
    machine.setUid(seqNo * 10);
    counts.push((await machine.upload(seqNo)).length);
  }
  const pieceCount = Math.ceil(machine.database.totals().databaseSizeBytes / PIECE_BYTES);
  expect(counts[0]).toBe(pieceCount);
  expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(2);
  expect([await restore(1), await restore(2), await restore(3), await restore(4)]).toEqual([10, 20, 30, 40]);
  expect((await listGenerations(store)).map(({ seqNo }) => seqNo)).toEqual([4, 3, 2, 1]);
});

test('pieces come before superblocks, the local superblock before those in the store, that of the generation before the current one', async () => {
  await using machine = new Machine('a');
  const events: string[] = [];
  store.onRequest = (operation, key) => {
    const local = existsSync(machine.paths.paramsPath) ? ', local superblock there' : '';
    events.push(`${operation} ${key.startsWith('s3ql_metadata') ? 'piece' : key}${local}`);
  };
  await machine.upload(5);
  expect(new Set(events.slice(0, -2))).toEqual(new Set(['put piece']));
  expect(events.slice(-2)).toEqual([`put ${generationKey(5)}, local superblock there`, 'put s3ql_params, local superblock there']);
  expect(await readLocalSuperblock(machine.paths)).toEqual(await fetchSuperblock(store));
});

test('after an upload that failed at any request all earlier generations are whole, and the next one is complete', async () => {
  await using machine = new Machine('a');
  machine.grow(50);
  machine.setUid(1);
  await machine.upload(1);
  let succeeded = false;
  for (let failAt = 0; !succeeded; failAt++) {
    const seqNo = await nextSeqNo(machine.paths, superblockOf(1), await readLocalSuperblock(machine.paths));
    machine.setUid(100 + seqNo);
    machine.database.entries.insert(ROOT_INODE, Buffer.from(`entry of ${seqNo}`.padEnd(200)), ROOT_INODE);
    let requests = 0;
    store.onRequest = () => {
      if (requests++ === failAt) throw new Error('store away');
    };
    succeeded = await machine.upload(seqNo).then(
      () => true,
      () => false,
    );
    store.onRequest = () => {};
    for (const generation of await listGenerations(store)) {
      const expected = generation.seqNo === 1 ? 1 : 100 + generation.seqNo;
      expect(await restore(generation.seqNo)).toBe(expected);
    }
  }
  const { seqNo } = await fetchSuperblock(store);
  expect(seqNo).toBeGreaterThan(4);
  expect(await restore(seqNo)).toBe(100 + seqNo);
});

test('a piece that changed, failed to upload, and changed back is uploaded anew', async () => {
  await using machine = new Machine('a');
  machine.setUid(1);
  await machine.upload(1);
  machine.setUid(2);
  store.onRequest = (_, key) => {
    if (key === generationKey(2)) throw new Error('store away');
  };
  await expect(machine.upload(2)).rejects.toThrow('store away');
  store.onRequest = () => {};
  machine.setUid(1);
  await machine.upload(3);
  expect(await restore(3)).toBe(1);
});

test('a database that shrank and grew again is uploaded where it grew', async () => {
  await using machine = new Machine('a');
  machine.grow(300);
  await machine.upload(1);
  const shrink = (): void => {
    for (const { name } of machine.database.entries.list(ROOT_INODE, 1, 1000)) machine.database.entries.remove(ROOT_INODE, name);
    machine.database.commit();
    using connection = new DatabaseSync(machine.paths.databasePath);
    connection.exec('VACUUM');
  };
  shrink();
  await machine.upload(2);
  machine.grow(300);
  machine.setUid(3);
  await machine.upload(3);
  expect([await restore(2), await restore(3)]).toEqual([0, 3]);
});

test('what was downloaded is not uploaded again, not even after the digests were lost in part', async () => {
  {
    await using machine = new Machine('a');
    machine.grow(300);
    machine.setUid(7);
    await machine.upload(1);
  }
  const paths = pathsOf('b');
  await downloadGeneration({ store, paths, superblock: await fetchSuperblock(store) });
  await using machine = new Machine('b');
  expect(await machine.upload(2)).toEqual([]);
  machine.setUid(8);
  expect((await machine.upload(3)).length).toBe(1);
  expect([await restore(2), await restore(3)]).toEqual([7, 8]);
  rmSync(paths.piecesPath);
  machine.setUid(9);
  const pieceCount = Math.ceil(machine.database.totals().databaseSizeBytes / PIECE_BYTES);
  expect((await machine.upload(4)).length).toBe(pieceCount);
});

test('after going back to an old generation, pieces that the store has in newer versions are uploaded anew', async () => {
  {
    await using machine = new Machine('a');
    for (let seqNo = 1; seqNo <= 3; seqNo++) {
      machine.setUid(seqNo);
      await machine.upload(seqNo);
    }
  }
  const paths = pathsOf('b');
  const [, , oldest] = await listGenerations(store);
  await downloadGeneration({ store, paths, superblock: oldest?.superblock as Superblock });
  expect(await nextSeqNo(paths, oldest?.superblock)).toBe(4);
  await using machine = new Machine('b');
  await machine.upload(4);
  expect(await restore(4)).toBe(1);
});

test('digests from the future of the file system are not trusted', async () => {
  await using machine = new Machine('a');
  const all = await machine.upload(9);
  expect(await machine.upload(8)).toEqual(all);
});

test('a downloaded database takes the place of the old one and of its WAL', async () => {
  const old = new Machine('a');
  old.setUid(1);
  await old.upload(1);
  old.setUid(2);
  old.database.commit();
  const leftBehind = ['', '-wal', '-shm'].map((suffix) => [suffix, readFileSync(old.paths.databasePath + suffix)] as const);
  await old[Symbol.asyncDispose]();
  for (const [suffix, content] of leftBehind) writeFileSync(old.paths.databasePath + suffix, content);
  await downloadGeneration({ store, paths: old.paths, superblock: await fetchSuperblock(store) });
  expect(uidIn(old.paths.databasePath)).toBe(1);
  expect(await readLocalSuperblock(old.paths)).toBeUndefined();
});

test('a missing, damaged, wrong or short piece is found, named, and leaves the local state alone', async () => {
  await using machine = new Machine('a');
  machine.grow(300);
  await machine.upload(1);
  const superblock = await fetchSuperblock(store);
  const key = pieceKey(1, 1);
  const original = store.objects.get(key) as Uint8Array<ArrayBuffer>;
  const paths = pathsOf('b');
  writeFileSync(paths.databasePath, 'old');
  const attempt = (): Promise<void> => downloadGeneration({ store, paths, superblock });

  store.objects.delete(key);
  await expect(attempt()).rejects.toThrow(key);
  store.objects.set(key, original.slice(0, -1));
  await expect(attempt()).rejects.toThrow(DamagedGenerationError);
  store.objects.set(key, original.with(100, 1));
  await expect(attempt()).rejects.toThrow('digest');
  store.objects.set(key, original);
  store.onRequest = (operation, requested) => {
    if (operation === 'get' && requested === key) throw new CorruptedObjectError(`object ${key}: bad signature`);
  };
  await expect(attempt()).rejects.toThrow(key);
  store.onRequest = () => {};
  expect(readFileSync(paths.databasePath, 'latin1')).toBe('old');
  await attempt();
  expect(uidIn(paths.databasePath)).toBe(0);
});

test('what remains of a damaged generation is downloaded with zeros for what is lost', async () => {
  await using machine = new Machine('a');
  machine.grow(300);
  machine.setUid(4);
  await machine.upload(1);
  const superblock = await fetchSuperblock(store);
  store.objects.delete(pieceKey(3, 1));
  store.objects.set(pieceKey(2, 2), store.objects.get(pieceKey(2, 1)) as Uint8Array<ArrayBuffer>);
  store.objects.delete(pieceKey(2, 1));
  const paths = pathsOf('b');
  store.objects.set('s3ql_metadata_ffffffffffff_0000000001', new Uint8Array(1));
  store.onRequest = (operation, key) => {
    if (operation === 'get' && key === pieceKey(4, 1)) throw new CorruptedObjectError('bad signature');
  };
  expect(await downloadRemains({ store, paths, superblock })).toEqual([pieceKey(4, 1)]);
  const content = readFileSync(paths.databasePath);
  const expected = readFileSync(machine.paths.databasePath).fill(0, 3 * PIECE_BYTES, 5 * PIECE_BYTES);
  expect(content.equals(expected)).toBe(true);
});

test('a store without a file system gives exit code 18, a damaged superblock a line that says what to do', async () => {
  await expect(fetchSuperblock(store)).rejects.toMatchObject({ exitCode: 18 });
  store.objects.set('s3ql_params', new Uint8Array(Buffer.from('rubbish')));
  await expect(fetchSuperblock(store)).rejects.toThrow('s3ql_params');
});

test('a generation whose superblock cannot be read is listed with the reason', async () => {
  const paths = pathsOf('a');
  await publishSuperblock(store, paths, superblockOf(1), { compression: COMPRESSION });
  store.objects.set(generationKey(2), new Uint8Array(Buffer.from('rubbish')));
  store.objects.set(generationKey(3), store.objects.get(generationKey(1)) as Uint8Array<ArrayBuffer>);
  store.objects.set('s3ql_params_not_a_number', new Uint8Array(0));
  expect(await listGenerations(store)).toEqual([
    { seqNo: 3, superblock: undefined, problem: expect.stringContaining('generation 1') },
    { seqNo: 2, superblock: undefined, problem: expect.stringContaining('damaged') },
    { seqNo: 1, superblock: superblockOf(1), problem: undefined },
  ]);
});

test('progress is reported from nothing to everything', async () => {
  const figures: ProgressFigures[] = [];
  const progress: ProgressReporter = {
    step: () => ({ update: (now) => figures.push(now), [Symbol.dispose]: () => figures.push({}) }),
  };
  await using machine = new Machine('a');
  machine.grow(100);
  const { length } = await machine.upload(1, { progress });
  const bytes = machine.database.totals().databaseSizeBytes;
  expect(figures[0]).toEqual({ done: 0, total: length, bytesDone: 0, bytesTotal: bytes });
  expect(figures.at(-2)).toEqual({ done: length, total: length, bytesDone: bytes, bytesTotal: bytes });
  expect(figures.at(-1)).toEqual({});
});

test('an aborted upload ends with the reason and publishes nothing', async () => {
  await using machine = new Machine('a');
  const controller = new AbortController();
  store.onRequest = () => controller.abort(new Error('interrupted'));
  await expect(machine.upload(1, { signal: controller.signal })).rejects.toThrow('interrupted');
  expect([...store.objects.keys()].filter((key) => key.startsWith('s3ql_params'))).toEqual([]);
});
