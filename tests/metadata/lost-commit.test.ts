import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../src/metadata/create-database.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import { ROOT_INODE } from '../../src/metadata/types.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-lost-commit-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('when SQLite fails to write a commit nothing goes on as if it were there, and earlier commits are whole', () => {
  const path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 0n });
  const child = new URL('limited-file-size-main.ts', import.meta.url).pathname;
  // 4096 blocks of 512 bytes: the WAL may have 2 MiB.
  const output = execFileSync('sh', ['-c', 'ulimit -f 4096; exec "$0" "$@"', process.execPath, child, path], { encoding: 'utf8' });
  const result = JSON.parse(output) as { committed: number; outcome: string; afterwards: string; reading: string };
  expect(result).toMatchObject({ outcome: 'EIO', afterwards: 'EIO' });
  expect(result.reading).not.toBe('done');
  using database = new SqliteMetadata(path);
  expect(result.committed).toBeGreaterThan(0);
  expect(database.totals().entryCount).toBe(1 + 100 * result.committed);
  expect(database.entries.lookup(ROOT_INODE, Buffer.from(`${result.committed - 1} 99`.padEnd(200)))).toBe(ROOT_INODE);
});
