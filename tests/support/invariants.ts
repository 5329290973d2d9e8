/**
 * What must be true of every file system at rest (S3QL format 2.4, 2.8): the store's objects and the tables agree with each other. Used
 * after unmounting; finds its own way into the store (store-reader.ts).
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { StoreReader } from './store-reader.ts';

export interface InvariantOptions {
  /** The directory of a local:// URL. */
  readonly storeDirectory: string;
  readonly passphrase?: string;
  /** Objects that no table knows are no fault: an upload that a crash cut off leaves them. */
  readonly allowUnknownObjects?: boolean;
  /** The objects were copied from a store where they have other sizes. */
  readonly otherSizes?: boolean;
}

/** Queries that must return nothing; each row they do return names a culprit. */
const TABLE_RULES: Readonly<Record<string, string>> = {
  'a name is counted wrongly': `
    SELECT id, refcount FROM names WHERE refcount !=
      (SELECT count(*) FROM contents WHERE name_id = names.id) + (SELECT count(*) FROM ext_attributes WHERE name_id = names.id)`,
  'a name is not used': 'SELECT id FROM names WHERE refcount < 1',
  'a name is no name': `SELECT id FROM names WHERE typeof(name) != 'blob' OR length(name) NOT BETWEEN 1 AND 255 OR instr(name, x'00') > 0`,
  'an entry has an impossible name': `SELECT rowid FROM contents_v WHERE instr(name, x'2f') > 0 OR name IN (x'2e', x'2e2e')`,
  'an entry has no name': 'SELECT rowid FROM contents WHERE name_id NOT IN (SELECT id FROM names)',
  'an entry has no inode': 'SELECT rowid FROM contents WHERE inode NOT IN (SELECT id FROM inodes)',
  'an entry is in no directory': 'SELECT rowid FROM contents WHERE parent_inode NOT IN (SELECT id FROM inodes WHERE mode >> 12 = 4)',
  'an inode is counted wrongly': `
    SELECT id, refcount FROM inodes WHERE id > 2 AND refcount != (SELECT count(*) FROM contents WHERE inode = inodes.id)`,
  'an inode has no entry': 'SELECT id FROM inodes WHERE refcount < 1',
  'a directory has several entries': 'SELECT id FROM inodes WHERE mode >> 12 = 4 AND id > 2 AND refcount != 1',
  'the root or the control file has an entry': 'SELECT rowid FROM contents WHERE inode IN (1, 2)',
  'an inode can not be reached': `
    WITH RECURSIVE reached(id) AS (SELECT 1 UNION SELECT inode FROM contents JOIN reached ON parent_inode = reached.id)
    SELECT id FROM inodes WHERE id != 2 AND id NOT IN reached`,
  'an inode has an impossible type': 'SELECT id, mode FROM inodes WHERE mode >> 12 NOT IN (1, 2, 4, 6, 8, 10, 12)',
  'something without contents has a size': 'SELECT id, size FROM inodes WHERE mode >> 12 NOT IN (8, 10) AND size != 0',
  'something that is no device has a device number': 'SELECT id, rdev FROM inodes WHERE mode >> 12 NOT IN (2, 6) AND rdev != 0',
  'a size is negative': 'SELECT id, size FROM inodes WHERE size < 0',
  'a link has no target of its size': `
    SELECT id FROM inodes WHERE mode >> 12 = 10 AND size IS NOT
      (SELECT length(target) FROM symlink_targets WHERE inode = inodes.id AND typeof(target) = 'blob')`,
  'a target has no link': 'SELECT inode FROM symlink_targets WHERE inode NOT IN (SELECT id FROM inodes WHERE mode >> 12 = 10)',
  'an attribute has no inode': 'SELECT inode FROM ext_attributes WHERE inode NOT IN (SELECT id FROM inodes)',
  'an attribute has no name': 'SELECT inode FROM ext_attributes WHERE name_id NOT IN (SELECT id FROM names)',
  "an attribute's value is no bytes": `SELECT inode FROM ext_attributes WHERE typeof(value) != 'blob'`,
  'a block belongs to no file': 'SELECT inode, blockno FROM inode_blocks WHERE inode NOT IN (SELECT id FROM inodes WHERE mode >> 12 = 8)',
  'a block has no object': 'SELECT inode, blockno FROM inode_blocks WHERE obj_id NOT IN (SELECT id FROM objects)',
  'an object is counted wrongly': `
    SELECT id, refcount FROM objects WHERE refcount != (SELECT count(*) FROM inode_blocks WHERE obj_id = objects.id)`,
  'an object is not used': 'SELECT id FROM objects WHERE refcount < 1',
  'an object was not uploaded': 'SELECT id FROM objects WHERE hash IS NULL OR length(hash) != 32 OR phys_size <= 0 OR length <= 0',
  'an id was given out beyond what is remembered': `
    SELECT name FROM sqlite_sequence WHERE seq < CASE name
      WHEN 'objects' THEN (SELECT max(id) FROM objects)
      WHEN 'inodes' THEN (SELECT max(id) FROM inodes)
      WHEN 'contents' THEN (SELECT max(rowid) FROM contents) END`,
};

/** With the data block size as parameter. */
const SIZE_RULES: Readonly<Record<string, string>> = {
  'a block ends behind the end of its file': `
    SELECT inode, blockno FROM inode_blocks JOIN objects ON objects.id = obj_id JOIN inodes ON inodes.id = inode
    WHERE blockno < 0 OR blockno > (size - length) / ?1 OR blockno * ?1 + length > size`,
  'an object is larger than a block': 'SELECT id, length FROM objects WHERE length > ?1',
};

/** Everything that is wrong, one line each; none if all is well. */
export async function brokenInvariants(options: InvariantOptions): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 's3ql-invariants-'));
  try {
    const store = await StoreReader.open(options.storeDirectory, options.passphrase);
    const superblock = await store.superblock();
    using database = await store.openDatabase(join(scratch, 'metadata.db'));
    return [
      ...(superblock.is_mounted === false && superblock.needs_fsck === false
        ? []
        : ['the superblock says that it is mounted or needs fsck']),
      ...(await differentGeneration(store)),
      ...brokenDatabase(database),
      ...brokenRules(indexed(database), TABLE_RULES),
      ...brokenRules(database, SIZE_RULES, BigInt(superblock.data_block_size as number)),
      ...(await brokenObjects(store, database, options)),
    ];
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** The same database (a copy of our own) with indexes for the rules' look-ups. */
function indexed(database: DatabaseSync): DatabaseSync {
  database.exec(`
    CREATE INDEX contents_by_inode ON contents(inode);
    CREATE INDEX contents_by_name ON contents(name_id);
    CREATE INDEX attributes_by_name ON ext_attributes(name_id);
    CREATE INDEX blocks_by_object ON inode_blocks(obj_id);`);
  return database;
}

async function differentGeneration(store: StoreReader): Promise<string[]> {
  const superblock = await store.superblock();
  const key = `s3ql_params_${Number(superblock.seq_no).toString(16).padStart(10, '0')}`;
  const same = isDeepStrictEqual((await store.read(key)).bytes, (await store.read('s3ql_params')).bytes);
  return same ? [] : [`s3ql_params and ${key} differ`];
}

function brokenDatabase(database: DatabaseSync): string[] {
  const rows = database.prepare('PRAGMA integrity_check').all();
  return rows.map((row) => String(row.integrity_check)).filter((line) => line !== 'ok');
}

function brokenRules(database: DatabaseSync, rules: Readonly<Record<string, string>>, ...parameters: bigint[]): string[] {
  return Object.entries(rules).flatMap(([rule, query]) =>
    database
      .prepare(query)
      .all(...parameters)
      .slice(0, 10)
      .map(
        (row) =>
          `${rule}: ${Object.entries(row)
            .map(([column, value]) => `${column} ${String(value)}`)
            .join(', ')}`,
      ),
  );
}

async function brokenObjects(
  store: StoreReader,
  database: DatabaseSync,
  { allowUnknownObjects: allowUnknown = false, otherSizes = false }: InvariantOptions,
): Promise<string[]> {
  const problems: string[] = [];
  const known = new Set<string>();
  for (const row of database.prepare('SELECT id, hash, phys_size, length FROM objects').iterate()) {
    const key = `s3ql_data_${String(row.id)}`;
    known.add(key);
    try {
      const { bytes, storedSizeBytes } = await store.read(key);
      if (
        !createHash('sha256')
          .update(bytes)
          .digest()
          .equals(row.hash as Uint8Array)
      )
        problems.push(`${key} is not what its digest says`);
      if (BigInt(bytes.length) !== row.length) problems.push(`${key} has ${bytes.length} bytes, not ${String(row.length)}`);
      if (!otherSizes && BigInt(storedSizeBytes) !== row.phys_size)
        problems.push(`${key} takes ${storedSizeBytes} bytes, not ${String(row.phys_size)}`);
    } catch (error) {
      problems.push(`${key}: ${String(error)}`);
    }
  }
  if (!allowUnknown) {
    for (const key of await store.keys()) {
      if (key.startsWith('s3ql_data_') && !known.has(key)) problems.push(`${key} is in the store, but in no table`);
    }
  }
  return problems;
}
