/**
 * Random damage, several kinds at once: cells of the metadata overwritten, rows gone, bytes of the database file changed, objects gone or
 * spoilt. Whatever it is, fsck ends in order: with everything repaired, which a second run confirms, or with an exit code that says why not.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.ts';
import { seededRandom } from '../../src/util/seeded-random.ts';
import { DamagedFileSystem } from '../support/check/damaged-file-system.ts';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';

const CASES = LONG ? 1000 : 100;
const CASES_PER_TEST = 10;
const BASE_SEED = newSeed();

let system: DamagedFileSystem;
beforeAll(async () => {
  system = await DamagedFileSystem.create();
});
afterAll(() => system[Symbol.dispose]());

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  objects: ['id', 'hash', 'refcount', 'phys_size', 'length'],
  inodes: ['id', 'uid', 'gid', 'mode', 'mtime_ns', 'refcount', 'size', 'rdev', 'locked'],
  inode_blocks: ['inode', 'blockno', 'obj_id'],
  symlink_targets: ['inode', 'target'],
  names: ['id', 'name', 'refcount'],
  contents: ['name_id', 'inode', 'parent_inode'],
  ext_attributes: ['inode', 'name_id', 'value'],
  sqlite_sequence: ['seq'],
};
const VALUES = [
  '0',
  '1',
  '2',
  '3',
  '-1',
  '4096',
  '9007199254740993',
  '-9223372036854775808',
  `'text'`,
  `x''`,
  `x'00ff2f'`,
  '1.5',
  `zeroblob(32)`,
];

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

function damage(random: Random): string {
  const kinds = [overwriteCell, overwriteCell, overwriteCell, swapCells, removeRow, removeObject, spoilObject, spoilFile];
  return pick(random, kinds)(random);
}

/** Constraints may refuse a value: that is another case then. */
function change(sql: string): string {
  const database = new DatabaseSync(join(system.localDirectory, 'metadata.db'), { enableForeignKeyConstraints: false });
  try {
    database.exec(sql);
  } catch (error) {
    return `${sql} (refused: ${String(error)})`;
  } finally {
    database.close();
  }
  return sql;
}

const someRow = (table: string, random: Random): string =>
  `(SELECT rowid FROM ${table} LIMIT 1 OFFSET ${Math.floor(random() * 20)} % max(1, (SELECT count(*) FROM ${table})))`;

function overwriteCell(random: Random): string {
  const table = pick(random, Object.keys(COLUMNS));
  return change(
    `UPDATE ${table} SET ${pick(random, COLUMNS[table] ?? [])} = ${pick(random, VALUES)} WHERE rowid = ${someRow(table, random)}`,
  );
}

function swapCells(random: Random): string {
  const table = pick(random, ['contents', 'inode_blocks', 'ext_attributes']);
  const column = pick(random, COLUMNS[table] ?? []);
  return change(
    `UPDATE ${table} SET ${column} = (SELECT ${column} FROM ${table} WHERE rowid = ${someRow(table, random)}) WHERE rowid = ${someRow(table, random)}`,
  );
}

function removeRow(random: Random): string {
  const table = pick(random, Object.keys(COLUMNS));
  return change(`DELETE FROM ${table} WHERE rowid = ${someRow(table, random)}`);
}

const objectPath = (random: Random): string | undefined => {
  const directory = join(system.storeDirectory, 's3ql_data_');
  const name = pick(random, readdirSync(directory));
  return name === undefined ? undefined : join(directory, name);
};

function removeObject(random: Random): string {
  const path = objectPath(random);
  if (path !== undefined) rmSync(path);
  return `removed ${path}`;
}

function spoilObject(random: Random): string {
  const path = objectPath(random);
  if (path !== undefined) spoil(path, random);
  return `spoilt ${path}`;
}

function spoilFile(random: Random): string {
  const path = join(system.localDirectory, 'metadata.db');
  return `spoilt the database at ${spoil(path, random)}`;
}

function spoil(path: string, random: Random): number {
  const bytes = readFileSync(path);
  const at = Math.floor(random() * bytes.length);
  bytes.fill(Math.floor(random() * 256), at, Math.min(bytes.length, at + Math.ceil(random() * 16)));
  writeFileSync(path, bytes);
  return at;
}

async function endsInOrder(seed: number): Promise<void> {
  const random = seededRandom(seed);
  system.reset();
  const done = Array.from({ length: 1 + Math.floor(random() * 4) }, () => damage(random));
  try {
    await system.fsck();
    const second = await system.fsck();
    if (second.state !== 'checked' || second.findingCount > 0) throw new Error(`the second run found ${JSON.stringify(second)}`);
  } catch (error) {
    if (error instanceof UserError && [41, 43].includes(error.exitCode)) return;
    throw new Error(`S3QL_TEST_SEED=${seed}, after ${done.join('; ')}`, { cause: error });
  }
}

test.each(Array.from({ length: CASES / CASES_PER_TEST }, (_, index) => BASE_SEED + index * CASES_PER_TEST))(
  'ten kinds of random damage from seed %i on',
  async (first) => {
    for (let seed = first; seed < first + CASES_PER_TEST; seed++) await expect(endsInOrder(seed)).resolves.toBeUndefined();
  },
);
