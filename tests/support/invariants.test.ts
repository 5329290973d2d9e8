import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FIXTURE_NAMES, FIXTURE_PASSPHRASE, UnpackedFixture } from './fixtures.ts';
import { brokenInvariants } from './invariants.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-invariants-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

test.each(FIXTURE_NAMES)('%s, made by S3QL, breaks no invariant', async (name) => {
  using fixture = new UnpackedFixture(name);
  const passphrase = name.startsWith('aes') ? { passphrase: FIXTURE_PASSPHRASE } : {};
  expect(await brokenInvariants({ storeDirectory: fixture.directory, ...passphrase })).toEqual([]);
});

/** Changes the database of the plain fixture (one piece) and makes the store agree with it. */
async function tamper(sql: string): Promise<string[]> {
  using fixture = new UnpackedFixture('plain-none');
  const storeDirectory = fixture.directory;
  const parameters = await readFile(join(storeDirectory, 's3ql_params'), 'latin1');
  const seqNo = Number(/'seq_no': (\d+)/.exec(parameters)?.[1])
    .toString(16)
    .padStart(10, '0');
  const piece = join(storeDirectory, `s3ql_metadata_000000000000_${seqNo}`);
  const file = await readFile(piece);
  const at = 9 + file.readUInt16LE(7);
  const path = join(directory, 'tampered.db');
  await writeFile(path, file.subarray(at));
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA foreign_keys = OFF; ${sql}; PRAGMA wal_checkpoint(TRUNCATE)`);
  database.close();
  const bytes = await readFile(path);
  await writeFile(piece, Buffer.concat([file.subarray(0, at), bytes]));
  const digest = createHash('sha256').update(bytes).digest('hex');
  const tampered = parameters.replace(/'db_md5': '\w+'/, `'db_md5': '${digest}'`).replace(/'db_size': \d+/, `'db_size': ${bytes.length}`);
  for (const name of ['s3ql_params', `s3ql_params_${seqNo}`]) await writeFile(join(storeDirectory, name), tampered, 'latin1');
  return await brokenInvariants({ storeDirectory });
}

describe('a change that breaks an invariant is found:', () => {
  test.each([
    ['a wrong count of a name', 'UPDATE names SET refcount = refcount + 1 WHERE id = 1', /a name is counted wrongly/],
    ['a wrong count of an inode', 'UPDATE inodes SET refcount = refcount + 1 WHERE id = 5', /an inode is counted wrongly/],
    ['a wrong count of an object', 'UPDATE objects SET refcount = refcount + 1', /an object is counted wrongly/],
    ['a lost entry', 'DELETE FROM contents WHERE rowid = 5', /can not be reached/],
    ['a file that is too short', 'UPDATE inodes SET size = 1 WHERE mode >> 12 = 8 AND size > 1', /behind the end/],
    ['a lost object', 'DELETE FROM objects WHERE id = (SELECT max(id) FROM objects)', /a block has no object/],
    ['another digest', `UPDATE objects SET hash = zeroblob(32) WHERE id = (SELECT max(id) FROM objects)`, /not what its digest says/],
    ['another stored size', 'UPDATE objects SET phys_size = phys_size + 1', /takes/],
  ])('%s', async (_, sql, message) => {
    expect((await tamper(sql)).join('\n')).toMatch(message);
  });
});
