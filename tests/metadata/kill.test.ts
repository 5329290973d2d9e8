/** What was committed survives the death of the process at any moment: while committing, syncing, checkpointing, freezing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../src/metadata/create-database.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import { type Inode, ROOT_INODE } from '../../src/metadata/types.ts';

const ROUNDS = 10;
const child = new URL('committing-main.ts', import.meta.url).pathname;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-kill-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Lets the child commit `count` times, kills it, and returns the last commit it told of. */
async function commitAndKill(path: string, count: number): Promise<number> {
  const process_ = spawn(process.execPath, [child, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(process_, 'exit');
  let last = 0;
  let seen = 0;
  for await (const line of createInterface({ input: process_.stdout })) {
    last = Number(line);
    if (++seen === count) process_.kill('SIGKILL');
  }
  await exited;
  return last;
}

test('committed epochs survive SIGKILL, and nothing is half there', async () => {
  const path = join(directory, 'metadata.db');
  createDatabase(path, { rootUid: 0, rootGid: 0, nowNs: 0n });
  for (let round = 1; round <= ROUNDS; round++) {
    const promised = await commitAndKill(path, 13 * round);
    {
      using connection = new DatabaseSync(path);
      expect(connection.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    }
    using database = new SqliteMetadata(path);
    const { uid } = database.inodes.get(ROOT_INODE) as Inode;
    expect(uid).toBeGreaterThanOrEqual(promised);
    expect(database.totals().entryCount).toBe(1 + 50 * uid);
    expect(database.totals().inodeCount).toBe(3 + 50 * uid);
  }
});
