import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../src/metadata/create-database.ts';
import { SnapshotWorker } from '../../src/metadata/snapshot.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import type { InodeId } from '../../src/metadata/types.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-wal-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('the WAL stays bounded while a transaction is always open', async () => {
  const path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 0n });
  using database = new SqliteMetadata(path);
  await using worker = new SnapshotWorker(database);
  const value = new Uint8Array(10 * 4096);
  let round = 0;
  const change = (): void => {
    value.fill(++round % 256);
    for (let inode = 1; inode <= 10; inode++) database.xattrs.set(inode as InodeId, Buffer.from('user.a'), value);
  };
  // Half a gigabyte goes through the WAL, 100 pages at a time; the file system goes on changing things while checkpoints run.
  let largestBytes = 0;
  const loading = new AbortController();
  const load = async (): Promise<void> => {
    while (!loading.signal.aborted) {
      change();
      await nextTurn();
    }
  };
  const loaded = load();
  for (let cycle = 0; cycle < 1300; cycle++) {
    do {
      database.commit();
      // The next transaction begins before anybody else has a chance.
      change();
    } while (await worker.keepWalShort());
    largestBytes = Math.max(largestBytes, statSync(`${path}-wal`).size);
  }
  loading.abort();
  await loaded;
  expect(round).toBeGreaterThan(1300);
  expect(largestBytes).toBeGreaterThan(0);
  expect(largestBytes).toBeLessThan(128 * 1024 * 1024);
});
