import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from './create-database.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';
import { type Inode, type InodeId, type ObjectId, ROOT_INODE } from './types.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-metadata-'));
  path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 1000, rootGid: 1000, nowNs: 1_700_000_000_123_456_789n });
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = (value: Uint8Array): string => Buffer.from(value).toString('latin1');

function fields(changes: Partial<Inode> = {}): Omit<Inode, 'id'> {
  const timeNs = 1_700_000_000_987_654_321n;
  const { id: _, ...rest } = {
    id: undefined,
    mode: 0o100644,
    uid: 1,
    gid: 2,
    atimeNs: timeNs,
    mtimeNs: timeNs,
    ctimeNs: timeNs,
    linkCount: 1,
    size: 0n,
    rdev: 0,
    locked: false,
    ...changes,
  };
  return rest;
}

test('a new file system has root, control file and lost+found', () => {
  using database = new SqliteMetadata(path);
  expect(database.inodes.get(ROOT_INODE)).toMatchObject({ mode: 0o40755, uid: 1000, gid: 1000, linkCount: 1 });
  expect(database.inodes.get(2 as InodeId)).toMatchObject({ mode: 0o100600, uid: 0, linkCount: 42 });
  expect(database.entries.lookup(ROOT_INODE, bytes('lost+found'))).toBe(3);
  expect(database.totals()).toMatchObject({ entryCount: 1, inodeCount: 3, objectCount: 0, totalSizeBytes: 0n });
});

test('times and sizes keep all 64 bits', () => {
  const extreme = { mtimeNs: -(2n ** 63n), ctimeNs: 2n ** 63n - 1n, atimeNs: -1n, size: 2n ** 63n - 1n };
  let id: InodeId;
  {
    using database = new SqliteMetadata(path);
    id = database.inodes.create(fields(extreme)).id;
    const other = database.inodes.create(fields());
    Object.assign(other, extreme);
    database.inodes.update(other);
    database.commit();
  }
  using database = new SqliteMetadata(path);
  expect(database.inodes.get(id)).toMatchObject(extreme);
  expect(database.inodes.get((id + 1) as InodeId)).toMatchObject(extreme);
  expect(database.totals().totalSizeBytes).toBe(2n ** 64n - 2n);
});

test('names, targets and values are stored as BLOBs, empty ones too', () => {
  {
    using database = new SqliteMetadata(path);
    const { id } = database.inodes.create(fields());
    database.entries.insert(ROOT_INODE, Uint8Array.of(0xff, 0xfe), id);
    database.symlinks.set(id, bytes('target'));
    database.xattrs.set(id, bytes('user.empty'), new Uint8Array(0));
    database.commit();
    expect(database.xattrs.get(id, bytes('user.empty'))).toEqual(new Uint8Array(0));
  }
  using connection = new DatabaseSync(path);
  const types = connection.prepare(
    `SELECT DISTINCT type FROM (SELECT typeof(name) AS type FROM names UNION ALL SELECT typeof(target) FROM symlink_targets
     UNION ALL SELECT typeof(value) FROM ext_attributes)`,
  );
  expect(types.all()).toEqual([{ type: 'blob' }]);
});

test('integers are stored as integers', () => {
  {
    using database = new SqliteMetadata(path);
    const { id } = database.inodes.create(fields({ rdev: 259, locked: true }));
    database.entries.insert(ROOT_INODE, bytes('file'), id);
    const object = database.blocks.reserveObjectIds(3);
    database.blocks.insertObject(object, new Uint8Array(32), 10, 5);
    database.blocks.link(id, 7, object);
    database.blocks.link(id, 8, object);
    database.blocks.unlink(id, 8, 9, 10);
    database.commit();
  }
  using connection = new DatabaseSync(path);
  const columns = {
    objects: ['id', 'refcount', 'phys_size', 'length'],
    inodes: ['id', 'uid', 'gid', 'mode', 'mtime_ns', 'atime_ns', 'ctime_ns', 'refcount', 'size', 'rdev', 'locked'],
    inode_blocks: ['inode', 'blockno', 'obj_id'],
    names: ['id', 'refcount'],
    contents: ['rowid', 'name_id', 'inode', 'parent_inode'],
    sqlite_sequence: ['seq'],
  };
  for (const [table, names] of Object.entries(columns)) {
    for (const name of names) {
      expect(connection.prepare(`SELECT DISTINCT '${table}.${name}' AS "column", typeof(${name}) AS type FROM ${table}`).all()).toEqual([
        { column: `${table}.${name}`, type: 'integer' },
      ]);
    }
  }
});

test('an entry that exists cannot be inserted again and its name keeps its references', () => {
  using database = new SqliteMetadata(path);
  expect(() => database.entries.insert(ROOT_INODE, bytes('lost+found'), ROOT_INODE)).toThrowError(
    expect.objectContaining({ code: 'EEXIST' }),
  );
  expect(() => database.entries.remove(ROOT_INODE, bytes('nothing'))).toThrowError(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => database.entries.replace(ROOT_INODE, bytes('nothing'), ROOT_INODE)).toThrowError(
    expect.objectContaining({ code: 'ENOENT' }),
  );
  database.entries.remove(ROOT_INODE, bytes('lost+found'));
  database.commit();
  using connection = new DatabaseSync(path);
  expect(connection.prepare('SELECT count(*) AS n FROM names').get()).toEqual({ n: 0 });
});

test('ids are never used twice, not even after the rows are gone and the database was closed', () => {
  let inode: number;
  let object: number;
  {
    using database = new SqliteMetadata(path);
    inode = database.inodes.create(fields()).id;
    database.inodes.delete(inode as InodeId);
    object = database.blocks.reserveObjectIds(100);
    database.commit();
  }
  using database = new SqliteMetadata(path);
  expect(database.inodes.create(fields()).id).toBeGreaterThan(inode);
  expect(database.blocks.reserveObjectIds(1)).toBe(object + 100);
});

test('a directory is listed in slices that miss nothing and repeat nothing', () => {
  using database = new SqliteMetadata(path);
  const parent = database.inodes.create(fields({ mode: 0o40755 })).id;
  const expected: string[] = [];
  for (let n = 0; n < 257; n++) {
    const { id } = database.inodes.create(fields(n % 3 === 0 ? { mode: 0o40700 } : {}));
    database.entries.insert(parent, bytes(`entry ${n}`), id);
    expected.push(`entry ${n}`);
  }
  const seen: string[] = [];
  let directories = 0;
  for (let cookie = 0; ;) {
    const slice = database.entries.listWithInodes(parent, cookie, 10);
    expect(database.entries.list(parent, cookie, 10)).toEqual(slice.map(({ cookie, name, inode }) => ({ cookie, name, inode })));
    const counted = database.entries.countDirectories(parent, cookie, 10);
    directories += counted.count;
    seen.push(...slice.map((entry) => key(entry.name)));
    expect(counted.nextCookie).toBe(slice.length < 10 ? undefined : slice.at(-1)?.cookie);
    if (counted.nextCookie === undefined) break;
    cookie = counted.nextCookie;
  }
  expect(seen.sort()).toEqual(expected.sort());
  expect(directories).toBe(86);
});

test('a listing sees updates that were not written to the table yet', () => {
  using database = new SqliteMetadata(path);
  const inode = database.inodes.get(3 as InodeId);
  if (inode === undefined) throw new Error('no lost+found');
  inode.uid = 77;
  database.inodes.update(inode);
  expect(database.entries.listWithInodes(ROOT_INODE, 0, 10)[0]?.attributes.uid).toBe(77);
});

test('the parent of an inode is found with and without the index', () => {
  using database = new SqliteMetadata(path);
  expect(database.entries.parentOf(3 as InodeId)).toBe(ROOT_INODE);
  database.entries.setParentIndex(true);
  database.commit();
  database.entries.setParentIndex(true);
  expect(database.pendingChangeCount).toBe(0);
  expect(database.entries.parentOf(3 as InodeId)).toBe(ROOT_INODE);
  database.entries.setParentIndex(false);
  expect(database.entries.parentOf(ROOT_INODE)).toBeUndefined();
});

test('more inodes than the cache holds keep their updates', () => {
  using database = new SqliteMetadata(path);
  const count = 20_000;
  const first = database.inodes.create(fields()).id;
  for (let n = 1; n < count; n++) database.inodes.create(fields());
  for (let n = 0; n < count; n++) database.inodes.setAtime((first + n) as InodeId, BigInt(n));
  const lost: number[] = [];
  for (let n = 0; n < count; n++) {
    if (database.inodes.get((first + n) as InodeId)?.atimeNs !== BigInt(n)) lost.push(first + n);
  }
  expect(lost).toEqual([]);
});

test('a record that was changed but not updated is what it was after a roll-back', () => {
  using database = new SqliteMetadata(path);
  const root = (): Inode => database.inodes.get(ROOT_INODE) as Inode;
  const inode = root();
  inode.uid = 5;
  database.inodes.update(inode);
  expect(() =>
    database.atomic(() => {
      root().uid = 6;
      throw new Error('on purpose');
    }),
  ).toThrowError('on purpose');
  expect(root().uid).toBe(5);
});

test('the usage of a large file is followed through every kind of change', () => {
  using database = new SqliteMetadata(path);
  const { blocks } = database;
  const [file, copy] = [10 as InodeId, 11 as InodeId];
  const first = blocks.reserveObjectIds(100);
  for (let n = 0; n < 100; n++) {
    blocks.insertObject((first + n) as ObjectId, Buffer.alloc(32, n), 1000 + n, 1);
    blocks.link(file, n, (first + n) as ObjectId);
  }
  const sum = (from: number, end: number): bigint => BigInt(((end - from) * (2000 + from + end - 1)) / 2);
  const usages = [blocks.usage(file)];
  blocks.unlink(file, 0, 10, 100);
  usages.push(blocks.usage(file));
  blocks.link(file, 10, (first + 11) as ObjectId);
  usages.push(blocks.usage(file));
  const attempt = (): void =>
    database.atomic(() => {
      blocks.unlink(file, 0, 50, 100);
      throw new Error('on purpose');
    });
  expect(attempt).toThrow('on purpose');
  usages.push(blocks.usage(file));
  blocks.share(file, copy, 0, 100, 1000);
  usages.push(blocks.usage(copy));
  blocks.unlink(file, 0, 100, 1000);
  usages.push(blocks.usage(file));
  expect(usages).toEqual([
    { blockCount: 100, lengthBytes: sum(0, 100) },
    { blockCount: 90, lengthBytes: sum(10, 100) },
    { blockCount: 90, lengthBytes: sum(10, 100) + 1n },
    { blockCount: 90, lengthBytes: sum(10, 100) + 1n },
    { blockCount: 90, lengthBytes: sum(10, 100) + 1n },
    { blockCount: 0, lengthBytes: 0n },
  ]);
});

test('an epoch holds what was changed before its commit', async () => {
  using database = new SqliteMetadata(path);
  expect(database.pendingChangeCount).toBe(0);
  const before = database.commit();
  database.inodes.setAtime(ROOT_INODE, 5n);
  expect(database.pendingChangeCount).toBeGreaterThan(0);
  const open = database.openEpoch;
  expect(open).toBeGreaterThan(before);
  expect(database.commit()).toBe(open);
  expect(database.commit()).toBe(open);
  expect(await database.syncCommitted()).toBe(open);
});

test('what an earlier process committed can be made durable before anything is committed', async () => {
  using database = new SqliteMetadata(path);
  expect(await database.syncCommitted()).toBe(0);
});

test('concurrent callers of syncCommitted all get an epoch not older than their commit', async () => {
  using database = new SqliteMetadata(path);
  const results: Array<Promise<void>> = [];
  for (let n = 0; n < 50; n++) {
    database.inodes.setAtime(ROOT_INODE, BigInt(n));
    const epoch = database.commit();
    results.push(database.syncCommitted().then((durable) => expect(durable).toBeGreaterThanOrEqual(epoch)));
  }
  await Promise.all(results);
});
