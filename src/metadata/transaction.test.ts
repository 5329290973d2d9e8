import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from './create-database.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';
import { type Inode, ROOT_INODE } from './types.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-transaction-'));
  path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 0n });
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('a full disk refuses the commit and keeps the changes for another try', () => {
  let availableBytes = 0;
  {
    using database = new SqliteMetadata(path, { availableBytes: () => availableBytes });
    database.inodes.setAtime(ROOT_INODE, 42n);
    database.entries.insert(ROOT_INODE, Buffer.from('new'), ROOT_INODE);
    expect(() => database.commit()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(database.entries.lookup(ROOT_INODE, Buffer.from('new'))).toBe(ROOT_INODE);
    expect(database.pendingChangeCount).toBeGreaterThan(0);
    availableBytes = 1e9;
    expect(database.commit()).toBe(1);
  }
  using database = new SqliteMetadata(path);
  expect(database.inodes.get(ROOT_INODE)?.atimeNs).toBe(42n);
  expect(database.entries.lookup(ROOT_INODE, Buffer.from('new'))).toBe(ROOT_INODE);
});

test('a transaction that took everything back is ended all the same', () => {
  using database = new SqliteMetadata(path);
  const attempt = (): void =>
    database.atomic(() => {
      database.inodes.setAtime(ROOT_INODE, 42n);
      throw new Error('on purpose');
    });
  expect(attempt).toThrow('on purpose');
  expect(database.pendingChangeCount).toBeGreaterThan(0);
  database.commit();
  expect(database.pendingChangeCount).toBe(0);
});

test('atomic that changes nothing opens no transaction', () => {
  using database = new SqliteMetadata(path);
  expect(database.atomic(() => database.entries.lookup(ROOT_INODE, Buffer.from('nothing')))).toBeUndefined();
  expect(database.pendingChangeCount).toBe(0);
});

test('an inner roll-back leaves the outer changes', () => {
  using database = new SqliteMetadata(path);
  const root = (): Inode => database.inodes.get(ROOT_INODE) as Inode;
  database.atomic(() => {
    database.inodes.update(Object.assign(root(), { uid: 1 }));
    expect(() =>
      database.atomic(() => {
        database.inodes.update(Object.assign(root(), { uid: 2 }));
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(root().uid).toBe(1);
    database.inodes.update(Object.assign(root(), { gid: 3 }));
  });
  expect(root()).toMatchObject({ uid: 1, gid: 3 });
});

test('commit inside atomic is refused', () => {
  using database = new SqliteMetadata(path);
  expect(() => database.atomic(() => database.commit())).toThrow('commit inside atomic');
});
