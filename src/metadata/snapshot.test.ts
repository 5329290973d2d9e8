import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from './create-database.ts';
import { type Snapshot, SnapshotWorker } from './snapshot.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';
import { type Inode, ROOT_INODE } from './types.ts';

const PIECE_BYTES = 3 * 4096;

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-snapshot-'));
  path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 0n });
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Adds entries, so that the database grows, and sets the root's uid. */
function change(database: SqliteMetadata, uid: number, entryCount: number): void {
  for (let n = 0; n < entryCount; n++) {
    database.entries.insert(ROOT_INODE, Buffer.from(`${uid} ${n} ${'x'.repeat(100)}`), ROOT_INODE);
  }
  const root = database.inodes.get(ROOT_INODE) as Inode;
  root.uid = uid;
  database.inodes.update(root);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** All pieces, one after the other; checks their digests on the way. */
async function contentOf(snapshot: Snapshot): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece = 0; piece < snapshot.pieceCount; piece++) {
    const bytes = await snapshot.read(piece);
    if (sha256(bytes) !== Buffer.from(snapshot.pieceDigest(piece)).toString('hex')) throw new Error(`piece ${piece} changed`);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

/** What a database file says: the root's uid, the number of entries, and SQLite's own check. */
function inspect(content: Uint8Array): unknown {
  const copy = join(directory, 'copy.db');
  writeFileSync(copy, content);
  using connection = new DatabaseSync(copy);
  return {
    ...connection.prepare('SELECT uid, (SELECT count(*) FROM contents) AS entries FROM inodes WHERE id = 1').get(),
    ...connection.prepare('PRAGMA integrity_check').get(),
  };
}

test('a snapshot has all that is committed and nothing else', async () => {
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  change(database, 1, 500);
  const epoch = database.commit();
  change(database, 2, 500);
  using snapshot = await worker.freeze(PIECE_BYTES);
  const content = await contentOf(snapshot);
  expect(snapshot.epoch).toBe(epoch);
  expect(content.length).toBe(snapshot.sizeBytes);
  expect(sha256(content)).toBe(snapshot.digestHex);
  expect(inspect(content)).toEqual({ uid: 1, entries: 501, integrity_check: 'ok' });
});

test('a snapshot stays as it is while changes are committed, and the next one has them', async () => {
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  {
    using snapshot = await worker.freeze(PIECE_BYTES);
    for (let round = 1; round <= 20; round++) {
      change(database, round, 100);
      database.commit();
      await worker.keepWalShort();
    }
    expect(inspect(await contentOf(snapshot))).toEqual({ uid: 0, entries: 1, integrity_check: 'ok' });
    await expect(worker.freeze(PIECE_BYTES)).rejects.toThrow('frozen already');
    await expect(worker.checkpoint()).rejects.toThrow('frozen');
  }
  using snapshot = await worker.freeze(PIECE_BYTES);
  expect(inspect(await contentOf(snapshot))).toEqual({ uid: 20, entries: 2001, integrity_check: 'ok' });
});

test('a snapshot made under load is one committed state', async () => {
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  for (let round = 1; round <= 10; round++) {
    const made: Snapshot[] = [];
    const frozen = worker.freeze(PIECE_BYTES).then((snapshot) => made.push(snapshot));
    const before = (database.inodes.get(ROOT_INODE) as Inode).uid;
    for (let uid = before + 1; made.length === 0; uid++) {
      change(database, uid, 1);
      database.commit();
      await nextTurn();
    }
    await frozen;
    using snapshot = made[0] as Snapshot;
    const state = inspect(await contentOf(snapshot)) as { uid: number; entries: number };
    expect(state.entries).toBe(state.uid + 1);
    expect(state.uid).toBeGreaterThanOrEqual(before);
  }
});

test('after closing, the file is the last snapshot if nothing was changed since', async () => {
  let digestHex: string;
  {
    using database = new SqliteMetadata(path);
    await using worker = new SnapshotWorker(database);
    change(database, 1, 1000);
    database.commit();
    using snapshot = await worker.freeze(PIECE_BYTES);
    digestHex = snapshot.digestHex;
  }
  expect(sha256(readFileSync(path))).toBe(digestHex);
});

test('a snapshot that was released is not read any more', async () => {
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  const snapshot = await worker.freeze(PIECE_BYTES);
  snapshot[Symbol.dispose]();
  await expect(snapshot.read(0)).rejects.toThrow('released');
});

test('checkpoints copy the WAL into the file once enough was committed', async () => {
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  change(database, 1, 10);
  database.commit();
  const frames = database.uncheckpointedFrames;
  expect(frames).toBeGreaterThan(0);
  expect(await worker.checkpoint()).toEqual({ walFrames: frames, checkpointedFrames: frames });
  change(database, 2, 10);
  database.commit();
  expect(database.uncheckpointedFrames).toBeLessThan(frames + 10);
});

test('totals that the worker counted are those of the tables, with what was changed meanwhile', async () => {
  {
    using database = new SqliteMetadata(path);
    change(database, 1, 50);
    database.commit();
  }
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  const primed = worker.primeTotals();
  change(database, 2, 10);
  await primed;
  const totals = database.totals();
  expect(totals).toMatchObject({ entryCount: 61, inodeCount: 3, objectCount: 0 });
  database.commit();
  await worker.primeTotals();
  expect(database.totals()).toEqual(totals);
});

test('a worker that cannot work says so instead of waiting', async () => {
  using database = new SqliteMetadata(path);
  const worker = new SnapshotWorker(Object.assign(Object.create(database) as SqliteMetadata, { path: join(directory, 'nowhere', 'x.db') }));
  await expect(worker.checkpoint()).rejects.toThrow('metadata worker');
  await worker[Symbol.asyncDispose]();
});
