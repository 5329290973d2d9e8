/** fsck: one kind of damage per test; it is found, repaired, gone at the second run, and everything else is as before. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BLOCK_BYTES, DamagedFileSystem, pattern } from '../support/check/damaged-file-system.ts';
import { brokenInvariants } from '../support/invariants.ts';

let system: DamagedFileSystem;
let intact: Map<string, string>;

beforeAll(async () => {
  system = await DamagedFileSystem.create();
  intact = await system.tree();
});
beforeEach(() => system.reset());
afterAll(() => system[Symbol.dispose]());

const inodeOf = (name: string): string => `(SELECT inode FROM contents_v WHERE name = CAST('${name}' AS BLOB))`;
const nameId = (name: string): string => `(SELECT id FROM names WHERE name = CAST('${name}' AS BLOB))`;
const objectOf = (name: string, block = 0): string =>
  `(SELECT obj_id FROM inode_blocks WHERE inode = ${inodeOf(name)} AND blockno = ${block})`;

interface Damage {
  readonly what: string;
  readonly sql: string;
  /** A kind of finding that there must be. */
  readonly finding: string;
  /** Paths that are no longer where, or what, they were. */
  readonly affected?: readonly string[];
  /** Paths that must be there afterwards (as regular expressions). */
  readonly appears?: readonly string[];
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'a name is counted too high',
    sql: `UPDATE names SET refcount = 9 WHERE id = ${nameId('small')}`,
    finding: 'wrong reference counts of names',
  },
  {
    what: 'a name is counted too low',
    sql: `UPDATE names SET refcount = 1 WHERE id = (SELECT max(id) FROM names); UPDATE names SET refcount = 2 WHERE id = ${nameId('big')}`,
    finding: 'wrong reference counts of names',
  },
  {
    what: 'a name is not used',
    sql: `INSERT INTO names (name, refcount) VALUES (x'616263', 1)`,
    finding: 'wrong reference counts of names',
  },
  {
    what: 'a name has a negative count',
    sql: `UPDATE names SET refcount = -3 WHERE id = ${nameId('small')}`,
    finding: 'impossible values',
  },
  { what: 'a name is text', sql: `UPDATE names SET name = CAST(name AS TEXT) WHERE id = ${nameId('small')}`, finding: 'impossible values' },
  {
    what: 'a name exists as text and as bytes',
    sql: `INSERT INTO names (name, refcount) VALUES ('small', 1); UPDATE contents SET name_id = (SELECT max(id) FROM names) WHERE name_id = ${nameId('small')}`,
    finding: 'impossible values',
  },
  {
    what: 'the name of an entry is missing',
    sql: `DELETE FROM names WHERE name = CAST('single' AS BLOB)`,
    finding: 'entries without a name',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/work_inode-'],
  },
  {
    what: 'the name of lost+found is missing',
    sql: `DELETE FROM names WHERE name = CAST('lost+found' AS BLOB)`,
    finding: 'lost+found missing',
  },
  {
    what: 'an entry has a name that is text',
    sql: `UPDATE contents SET name_id = 'x' WHERE inode = ${inodeOf('single')}`,
    finding: 'entries without a name',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/work_inode-'],
  },
  {
    what: 'lost+found is missing',
    sql: `DELETE FROM inodes WHERE id = 3; DELETE FROM contents WHERE inode = 3; DELETE FROM names WHERE name = CAST('lost+found' AS BLOB)`,
    finding: 'lost+found missing',
  },
  { what: 'the inode of lost+found is missing', sql: 'DELETE FROM inodes WHERE id = 3', finding: 'lost+found missing' },
  {
    what: 'lost+found is a file',
    sql: 'UPDATE inodes SET mode = 33152 WHERE id = 3',
    finding: 'lost+found missing',
    appears: ['^/lost\\+found-1$'],
  },
  { what: 'the root is missing', sql: 'DELETE FROM inodes WHERE id = 1', finding: 'damage of the root directory or the control file' },
  {
    what: 'the root is a file',
    sql: 'UPDATE inodes SET mode = 33188 WHERE id = 1',
    finding: 'damage of the root directory or the control file',
  },
  {
    what: 'the root has a wrong link count',
    sql: 'UPDATE inodes SET refcount = 7 WHERE id = 1',
    finding: 'damage of the root directory or the control file',
  },
  {
    what: 'the root is in a directory',
    sql: `INSERT INTO contents (name_id, inode, parent_inode) VALUES (${nameId('big')}, 1, ${inodeOf('deep')}); UPDATE names SET refcount = 2 WHERE id = ${nameId('big')}`,
    finding: 'damage of the root directory or the control file',
  },
  {
    what: 'the control file is missing',
    sql: 'DELETE FROM inodes WHERE id = 2',
    finding: 'damage of the root directory or the control file',
  },
  {
    what: 'the control file has an entry',
    sql: `INSERT INTO contents (name_id, inode, parent_inode) VALUES (${nameId('big')}, 2, 1); UPDATE names SET refcount = 2 WHERE id = ${nameId('big')}`,
    finding: 'damage of the root directory or the control file',
  },
  {
    what: 'the control file has blocks',
    sql: `INSERT INTO inode_blocks (inode, blockno, obj_id) VALUES (2, 0, ${objectOf('single')}); UPDATE objects SET refcount = 2 WHERE id = ${objectOf('single')}`,
    finding: 'blocks where none can be',
    appears: ['^/lost\\+found/inode-2-blocks'],
  },
  {
    what: 'the inode of a file with blocks is missing',
    sql: `DELETE FROM inodes WHERE id = ${inodeOf('single')}`,
    finding: 'missing inodes',
  },
  {
    what: 'the inode of an empty file is missing',
    sql: `DELETE FROM inodes WHERE id = ${inodeOf('empty')}`,
    finding: 'missing inodes',
    affected: ['/work/empty'],
  },
  { what: 'the inode of a directory is missing', sql: `DELETE FROM inodes WHERE id = ${inodeOf('work')}`, finding: 'missing inodes' },
  { what: 'the inode of a link is missing', sql: `DELETE FROM inodes WHERE id = ${inodeOf('link')}`, finding: 'missing inodes' },
  {
    what: 'inode and entry of a file are missing',
    sql: `DELETE FROM inodes WHERE id = ${inodeOf('single')}; DELETE FROM contents WHERE inode = ${inodeOf('single')}; DELETE FROM names WHERE name = CAST('single' AS BLOB)`,
    finding: 'missing inodes',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-'],
  },
  {
    what: 'inode and entry of a directory are missing',
    sql: `DELETE FROM inodes WHERE id = ${inodeOf('deep')}; DELETE FROM contents WHERE inode = ${inodeOf('deep')}; DELETE FROM names WHERE name = CAST('deep' AS BLOB)`,
    finding: 'missing inodes',
    affected: ['/work/deep', '/work/deep/deeper', '/work/deep/deeper/tagged'],
    appears: ['^/lost\\+found/inode-[0-9]+/deeper/tagged$'],
  },
  {
    what: 'an entry is in no directory',
    sql: `UPDATE contents SET parent_inode = 99999999 WHERE inode = ${inodeOf('single')}`,
    finding: 'missing inodes',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-[0-9]+/single$'],
  },
  {
    what: 'an entry is in a directory called text',
    sql: `UPDATE contents SET parent_inode = 'home' WHERE inode = ${inodeOf('single')}`,
    finding: 'missing inodes',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-[0-9]+/single$'],
  },
  {
    what: 'an attribute is of no inode',
    sql: `UPDATE ext_attributes SET inode = 88888888 WHERE name_id = ${nameId('user.comment')}`,
    finding: 'missing inodes',
    appears: ['^/lost\\+found/inode-'],
  },
  {
    what: 'a target is of no inode',
    sql: `INSERT INTO symlink_targets (inode, target) VALUES (7777777, x'61')`,
    finding: 'missing inodes',
    appears: ['^/lost\\+found/inode-'],
  },
  {
    what: 'a file has no type',
    sql: `UPDATE inodes SET mode = mode & 4095 WHERE id = ${inodeOf('single')}`,
    finding: 'inodes without a type',
  },
  {
    what: 'a directory has no type',
    sql: `UPDATE inodes SET mode = mode & 4095 WHERE id = ${inodeOf('work')}`,
    finding: 'inodes without a type',
  },
  {
    what: 'a link has no type',
    sql: `UPDATE inodes SET mode = mode & 4095 WHERE id = ${inodeOf('link')}`,
    finding: 'inodes without a type',
  },
  { what: 'a mode is text', sql: `UPDATE inodes SET mode = 'rwx' WHERE id = ${inodeOf('single')}`, finding: 'impossible values' },
  {
    what: 'a file has entries',
    sql: `UPDATE contents SET parent_inode = ${inodeOf('small')} WHERE inode = ${inodeOf('single')}`,
    finding: 'entries of something that is no directory',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/small_single$'],
  },
  {
    what: 'a name is empty',
    sql: `UPDATE names SET name = x'' WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/renamed-$'],
  },
  {
    what: 'a name is ".."',
    sql: `UPDATE names SET name = x'2e2e' WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/renamed-\\.\\.$'],
  },
  {
    what: 'a name has a slash',
    sql: `UPDATE names SET name = CAST('si/gle' AS BLOB) WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/si_gle$'],
  },
  {
    what: 'a name has a NUL',
    sql: `UPDATE names SET name = x'610062' WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/a_b$'],
  },
  {
    what: 'a name is too long',
    sql: `UPDATE names SET name = CAST(replace(hex(zeroblob(150)), '0', 'n') AS BLOB) WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/n{120}\\.\\.\\.n{120}$'],
  },
  {
    what: 'a name is that of the control file',
    sql: `UPDATE names SET name = CAST('.__s3ql__ctrl__' AS BLOB) WHERE id = ${nameId('single')}`,
    finding: 'impossible names',
    affected: ['/work/single'],
    appears: ['^/work/renamed-\\.__s3ql'],
  },
  {
    what: 'the name of an attribute is missing',
    sql: `DELETE FROM names WHERE name = CAST('user.comment' AS BLOB)`,
    finding: 'extended attributes without a name',
  },
  { what: "an attribute's value is text", sql: `UPDATE ext_attributes SET value = 'text'`, finding: 'impossible values' },
  { what: 'an owner is negative', sql: `UPDATE inodes SET uid = -1 WHERE id = ${inodeOf('single')}`, finding: 'impossible values' },
  { what: 'a time is text', sql: `UPDATE inodes SET mtime_ns = 'noon' WHERE id = ${inodeOf('single')}`, finding: 'impossible values' },
  { what: 'a lock is 2', sql: `UPDATE inodes SET locked = 2 WHERE id = ${inodeOf('single')}`, finding: 'impossible values' },
  {
    what: 'an inode has a number beyond all',
    sql: `UPDATE contents SET inode = 9007199254740999 WHERE inode = ${inodeOf('pipe')}; UPDATE inodes SET id = 9007199254740999 WHERE mode >> 12 = 1`,
    finding: 'impossible values',
  },
  {
    what: 'the last inode number is forgotten',
    sql: `UPDATE sqlite_sequence SET seq = 1 WHERE name = 'inodes'`,
    finding: 'impossible values',
  },
  {
    what: 'the last object number is text',
    sql: `UPDATE sqlite_sequence SET seq = 'many' WHERE name = 'objects'`,
    finding: 'impossible values',
  },
  {
    what: 'an object has no digest',
    sql: `UPDATE objects SET hash = NULL WHERE id = ${objectOf('single')}`,
    finding: 'objects without digest or length',
  },
  {
    what: 'a digest is too short',
    sql: `UPDATE objects SET hash = x'00' WHERE id = ${objectOf('single')}`,
    finding: 'objects without digest or length',
  },
  {
    what: 'a length is text',
    sql: `UPDATE objects SET length = 'long' WHERE id = ${objectOf('single')}`,
    finding: 'objects without digest or length',
  },
  {
    what: 'an object is longer than a block',
    sql: `UPDATE objects SET length = 999999 WHERE id = ${objectOf('single')}`,
    finding: 'objects without digest or length',
  },
  {
    what: 'an object was never uploaded, as S3QL leaves it',
    sql: `INSERT INTO objects (id, hash, refcount, phys_size, length) VALUES (5000, NULL, 0, -1, 10)`,
    finding: 'objects without digest or length',
  },
  {
    what: 'a stored size is unknown',
    sql: `UPDATE objects SET phys_size = -1 WHERE id = ${objectOf('single')}`,
    finding: 'wrong stored sizes',
  },
  {
    what: 'an object is counted too low',
    sql: `UPDATE objects SET refcount = 1 WHERE id = ${objectOf('big')}`,
    finding: 'wrong reference counts of objects',
  },
  {
    what: 'an object is counted too high',
    sql: `UPDATE objects SET refcount = 9 WHERE id = ${objectOf('single')}`,
    finding: 'wrong reference counts of objects',
  },
  {
    what: 'an object is not used',
    sql: `DELETE FROM inode_blocks WHERE inode = ${inodeOf('single')}; UPDATE inodes SET size = 0 WHERE id = ${inodeOf('single')}`,
    finding: 'wrong reference counts of objects',
    affected: ['/work/single'],
  },
  {
    what: 'the row of an object is missing',
    sql: `DELETE FROM objects WHERE id = ${objectOf('single')}`,
    finding: 'blocks without an object',
  },
  {
    what: 'the row of a shared object is missing',
    sql: `DELETE FROM objects WHERE id = ${objectOf('big', 2)}`,
    finding: 'blocks without an object',
  },
  {
    what: 'a block has an object that never was',
    sql: `UPDATE inode_blocks SET obj_id = 999999 WHERE inode = ${inodeOf('sparse')}`,
    finding: 'blocks without an object',
    affected: ['/work/sparse'],
    appears: ['^/lost\\+found/work_sparse$'],
  },
  {
    what: 'a block has an object that is text',
    sql: `UPDATE inode_blocks SET obj_id = 'x' WHERE inode = ${inodeOf('sparse')}`,
    finding: 'blocks without an object',
    affected: ['/work/sparse'],
    appears: ['^/lost\\+found/work_sparse$'],
  },
  {
    what: 'a block lies before the file',
    sql: `UPDATE inode_blocks SET blockno = -1 WHERE inode = ${inodeOf('single')}`,
    finding: 'blocks where none can be',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-[0-9]+-blocks$'],
  },
  {
    what: 'a block lies behind all files',
    sql: `UPDATE inode_blocks SET blockno = 9223372036854775807 WHERE inode = ${inodeOf('single')}`,
    finding: 'blocks where none can be',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-[0-9]+-blocks$'],
  },
  {
    what: 'a directory has blocks',
    sql: `UPDATE inode_blocks SET inode = ${inodeOf('deep')} WHERE inode = ${inodeOf('single')}`,
    finding: 'blocks where none can be',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-[0-9]+-blocks$'],
  },
  {
    what: 'blocks belong to no inode',
    sql: `UPDATE inode_blocks SET inode = 'none' WHERE inode = ${inodeOf('single')}`,
    finding: 'missing inodes',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-'],
  },
  {
    what: 'a link has no target',
    sql: 'DELETE FROM symlink_targets',
    finding: 'damaged symbolic links',
    affected: ['/work/link'],
    appears: ['^/lost\\+found/work_link$'],
  },
  { what: 'a link has a wrong size', sql: `UPDATE inodes SET size = 3 WHERE id = ${inodeOf('link')}`, finding: 'damaged symbolic links' },
  { what: 'a target is text', sql: 'UPDATE symlink_targets SET target = CAST(target AS TEXT)', finding: 'impossible values' },
  {
    what: 'a file has a target',
    sql: `INSERT INTO symlink_targets (inode, target) VALUES (${inodeOf('single')}, x'61')`,
    finding: 'damaged symbolic links',
    appears: ['^/lost\\+found/inode-[0-9]+-target$'],
  },
  {
    what: 'a directory has two entries',
    sql: `INSERT INTO contents (name_id, inode, parent_inode) VALUES (${nameId('big')}, ${inodeOf('deep')}, 1); UPDATE names SET refcount = 2 WHERE id = ${nameId('big')}; UPDATE inodes SET refcount = 2 WHERE id = ${inodeOf('deep')}`,
    finding: 'directories with several entries',
  },
  { what: 'a link count is too high', sql: `UPDATE inodes SET refcount = 5 WHERE id = ${inodeOf('big')}`, finding: 'wrong link counts' },
  { what: 'a link count is too low', sql: `UPDATE inodes SET refcount = 1 WHERE id = ${inodeOf('big')}`, finding: 'wrong link counts' },
  { what: 'a link count is 0', sql: `UPDATE inodes SET refcount = 0 WHERE id = ${inodeOf('single')}`, finding: 'wrong link counts' },
  {
    what: 'the entry of a file is missing',
    sql: `DELETE FROM contents WHERE inode = ${inodeOf('single')}; DELETE FROM names WHERE name = CAST('single' AS BLOB)`,
    finding: 'wrong link counts',
    affected: ['/work/single'],
    appears: ['^/lost\\+found/inode-'],
  },
  {
    what: 'the entry of a directory is missing',
    sql: `DELETE FROM contents WHERE inode = ${inodeOf('deep')}; DELETE FROM names WHERE name = CAST('deep' AS BLOB)`,
    finding: 'wrong link counts',
    affected: ['/work/deep', '/work/deep/deeper', '/work/deep/deeper/tagged'],
    appears: ['^/lost\\+found/inode-[0-9]+/deeper/tagged$'],
  },
  {
    what: 'a directory contains itself',
    sql: `UPDATE contents SET parent_inode = inode WHERE inode = ${inodeOf('deeper')}`,
    finding: 'unreachable directories',
    affected: ['/work/deep/deeper', '/work/deep/deeper/tagged'],
    appears: ['^/lost\\+found/deeper/tagged$'],
  },
  {
    what: 'two directories contain each other',
    sql: `UPDATE contents SET parent_inode = ${inodeOf('deeper')} WHERE inode = ${inodeOf('deep')}`,
    finding: 'unreachable directories',
    affected: ['/work/deep', '/work/deep/deeper', '/work/deep/deeper/tagged'],
    appears: ['^/lost\\+found/.*/tagged$'],
  },
  { what: 'lost+found contains itself', sql: 'UPDATE contents SET parent_inode = 3 WHERE inode = 3', finding: 'lost+found missing' },
  { what: 'a file is shorter than its data', sql: `UPDATE inodes SET size = 1 WHERE id = ${inodeOf('big')}`, finding: 'wrong file sizes' },
  { what: 'a size is negative', sql: `UPDATE inodes SET size = -5 WHERE id = ${inodeOf('single')}`, finding: 'wrong file sizes' },
  {
    what: 'a directory has a size',
    sql: `UPDATE inodes SET size = 4096 WHERE id = ${inodeOf('deep')}`,
    finding: 'sizes and device numbers where none should be',
  },
  {
    what: 'a pipe has a size',
    sql: `UPDATE inodes SET size = 7 WHERE id = ${inodeOf('pipe')}`,
    finding: 'sizes and device numbers where none should be',
  },
  {
    what: 'a symbolic link has a device number',
    sql: `UPDATE inodes SET rdev = 77 WHERE id = ${inodeOf('link')}`,
    finding: 'sizes and device numbers where none should be',
  },
  {
    what: 'an object has a number that none can have',
    sql: `INSERT INTO objects (id, hash, refcount, phys_size, length) VALUES (-7, randomblob(32), 1, 10, 10)`,
    finding: 'impossible values',
  },
  {
    what: 'the name of an attribute is empty',
    sql: `UPDATE names SET name = x'' WHERE id = ${nameId('user.comment')}`,
    finding: 'extended attributes without a name',
  },
  {
    what: 'the name of an attribute has a NUL',
    sql: `UPDATE names SET name = x'757365722e0061' WHERE id = ${nameId('user.comment')}`,
    finding: 'extended attributes without a name',
  },
  { what: 'a group is text', sql: `UPDATE inodes SET gid = 'users' WHERE id = ${inodeOf('single')}`, finding: 'impossible values' },
  {
    what: 'a file has a device number',
    sql: `UPDATE inodes SET rdev = 77 WHERE id = ${inodeOf('single')}`,
    finding: 'sizes and device numbers where none should be',
  },
];

describe('metadata:', () => {
  test('nothing is found in a file system without damage, and nothing changes but the generation', async () => {
    expect(await system.findings()).toEqual({});
    expect(await system.tree()).toEqual(intact);
  });

  test.each(DAMAGES)('$what', async ({ sql, finding, affected = [], appears = [] }) => {
    system.sql(sql);
    const found = await system.findings();
    expect(found).toHaveProperty([finding]);
    const repaired = await system.tree();
    const unaffected = [...intact].filter(([path]) => !affected.includes(path));
    expect(unaffected.map(([path]) => [path, repaired.get(path)])).toEqual(unaffected);
    expect(appears.filter((pattern) => ![...repaired.keys()].some((path) => new RegExp(pattern).test(path)))).toEqual([]);
    expect(await brokenInvariants({ storeDirectory: system.storeDirectory })).toEqual([]);
    expect(await system.findings()).toEqual({});
  });
});

describe('objects:', () => {
  test('temporary files of interrupted uploads, and empty directories, are removed from a local store', async () => {
    const left = join(system.storeDirectory, 's3ql_data_', '999', 's3ql_data_999000#1234-5.tmp');
    mkdirSync(dirname(left), { recursive: true });
    writeFileSync(left, 'half an object');
    expect(await system.findings()).toEqual({});
    expect(existsSync(dirname(left))).toBe(false);
  });

  test('what has the same name in lost+found gets a number', async () => {
    rmSync(system.objectPath(system.value(`SELECT ${objectOf('single')}`)));
    await system.findings();
    await system.use(async (fs) => {
      const work = fs.directories.lookup(1 as never, Buffer.from('work'))?.id as never;
      const { id } = fs.directories.make(work, Buffer.from('single'), 0o100644, 0, { uid: 0, gid: 0, umask: 0 });
      await fs.files.write(id, 0n, pattern(100, 77), false);
    });
    rmSync(system.objectPath(system.value(`SELECT ${objectOf('single')}`)));
    await system.findings();
    const tree = await system.tree();
    expect([tree.has('/lost+found/work_single'), tree.has('/lost+found/work_single-1')]).toEqual([true, true]);
    expect(await system.findings()).toEqual({});
  });

  test('of a missing object all files move to lost+found, under all their names', async () => {
    rmSync(system.objectPath(system.value(`SELECT ${objectOf('big', 1)}`)));
    expect(await system.findings()).toMatchObject({ 'missing objects': 1, 'blocks without an object': 1 + 1 });
    const tree = await system.tree();
    for (const path of ['/lost+found/work_big', '/lost+found/work_twin', '/lost+found/second__name']) expect(tree.has(path)).toBe(true);
    for (const path of ['/work/big', '/work/twin', '/second_name']) expect(tree.has(path)).toBe(false);
    expect(tree.get('/work/single')).toBe(intact.get('/work/single'));
    expect(await system.findings()).toEqual({});
    expect(await brokenInvariants({ storeDirectory: system.storeDirectory })).toEqual([]);
  });

  test('an object whose id was handed out and that nothing refers to is deleted', async () => {
    const id = Number(system.value(`SELECT seq FROM sqlite_sequence WHERE name = 'objects'`));
    writeFileSync(system.objectPath(id), readFileSync(system.objectPath(system.value(`SELECT ${objectOf('single')}`))));
    expect(await system.findings()).toEqual({ 'objects that nothing refers to': 1 });
    expect(existsSync(system.objectPath(id))).toBe(false);
    expect(await system.findings()).toEqual({});
  });

  test('an object newer than the metadata is kept, reported once, never overwritten, and deleted on request', async () => {
    const id = Number(system.value(`SELECT seq FROM sqlite_sequence WHERE name = 'objects'`)) + 20;
    const newer = readFileSync(system.objectPath(system.value(`SELECT ${objectOf('single')}`)));
    writeFileSync(system.objectPath(id), newer);
    expect(await system.findings()).toEqual({ 'objects that nothing refers to': 1 });
    expect(await system.findings()).toEqual({});
    await system.use(async (fs) => {
      const file = fs.directories.make(1 as never, Buffer.from('new'), 0o100644, 0, { uid: 0, gid: 0, umask: 0 });
      await fs.files.write(file.id, 0n, pattern(30 * BLOCK_BYTES, 9), false);
    });
    expect(readFileSync(system.objectPath(id))).toEqual(newer);
    expect(await system.findings()).toEqual({});
    expect(await system.findings('--delete-orphans')).toEqual({ 'objects that nothing refers to': 1 });
    expect(existsSync(system.objectPath(id))).toBe(false);
    expect(await system.findings()).toEqual({});
  });

  test('an object without a row and damaged in the store costs its file that part', async () => {
    const id = system.value(`SELECT ${objectOf('single')}`);
    writeFileSync(system.objectPath(id), 'nonsense');
    system.sql(`DELETE FROM objects WHERE id = ${objectOf('single')}`);
    expect(await system.findings()).toMatchObject({ 'blocks without an object': 1 });
    expect((await system.tree()).has('/lost+found/work_single')).toBe(true);
    expect(await system.findings()).toEqual({});
  });

  test('a row without digest that is the same as another gives way to it', async () => {
    const twin = system.value(`SELECT ${objectOf('single')}`);
    writeFileSync(system.objectPath(400), readFileSync(system.objectPath(twin)));
    system.sql(`INSERT INTO objects (id, hash, refcount, phys_size, length) VALUES (400, NULL, 1, -1, 100);
      UPDATE inode_blocks SET obj_id = 400 WHERE inode = ${inodeOf('sparse')}`);
    expect(await system.findings()).toHaveProperty(['objects without digest or length']);
    expect(await brokenInvariants({ storeDirectory: system.storeDirectory })).toEqual([]);
    expect(await system.findings()).toEqual({});
  });
});

describe('crashes:', () => {
  const writeFile = (name: string, seed: number) => async (fs: Parameters<Parameters<DamagedFileSystem['use']>[0]>[0]) => {
    const file = fs.directories.make(1 as never, Buffer.from(name), 0o100644, 0, { uid: 0, gid: 0, umask: 0 });
    await fs.files.write(file.id, 0n, pattern(3 * BLOCK_BYTES, seed), false);
  };

  test('what a crashed mount had not stored is stored', async () => {
    await system.use(writeFile('late', 11), { crash: true });
    expect(await system.findings()).toEqual({ 'blocks that only the cache had': 1 });
    const tree = await system.tree();
    expect(tree.get('/late')).toMatch(/^[0-9a-f]{64}$/);
    for (const [path, content] of intact) expect([path, tree.get(path)]).toEqual([path, content]);
    expect(await brokenInvariants({ storeDirectory: system.storeDirectory })).toEqual([]);
    expect(await system.findings()).toEqual({});
  });

  test('a mount elsewhere needs a confirmation: refused in batch mode, done with --force-remote', async () => {
    await system.use(writeFile('late', 12), { crash: true });
    system.forgetLocal();
    await expect(system.fsck()).rejects.toMatchObject({ exitCode: 41 });
    expect(await system.findings('--force-remote')).toEqual({});
    expect(await system.tree()).toEqual(intact);
    expect(await system.findings()).toEqual({});
  });

  test('a file that was deleted while it was open goes, without a word', async () => {
    await system.use(async () => {}, { crash: true });
    system.sql(`DELETE FROM contents WHERE inode = ${inodeOf('single')}; DELETE FROM names WHERE name = CAST('single' AS BLOB);
      UPDATE inodes SET refcount = 0 WHERE mode >> 12 = 8 AND id NOT IN (SELECT inode FROM contents) AND id > 3`);
    expect(await system.findings()).toEqual({});
    expect((await system.tree()).has('/work/single')).toBe(false);
    expect(await brokenInvariants({ storeDirectory: system.storeDirectory })).toEqual([]);
  });

  test('a file system that is clean and was checked lately is left alone', async () => {
    const before = await system.seqNo();
    expect(await system.check()).toMatchObject({ state: 'clean' });
    expect(await system.seqNo()).toBe(before);
    system.forgetLocal();
    expect(await system.check()).toMatchObject({ state: 'clean' });
    expect(await system.seqNo()).toBe(before);
  });
});

describe('what cannot be repaired', () => {
  test('is reported, and the file system stays marked as damaged', async () => {
    // A table of nobody knows whom, with a row that refers to an inode that is not there.
    system.sql('CREATE TABLE strange (inode INTEGER REFERENCES inodes (id)); INSERT INTO strange VALUES (123456)');
    const result = await system.fsck();
    expect(result).toMatchObject({ state: 'checked', uncorrectableCount: 1, counts: { 'dangling references': 1 } });
    // Without --force: only what is not clean is checked so soon again.
    expect(await system.check('--batch', '--fast')).toMatchObject({ state: 'checked', uncorrectableCount: 1 });
    expect(await system.tree()).toEqual(intact);
  });
});

describe('metadata in the store:', () => {
  const pieces = (): string[] =>
    readdirSync(system.storeDirectory)
      .filter((name) => name.startsWith('s3ql_metadata_'))
      .map((name) => join(system.storeDirectory, name));

  test('a newest generation that is damaged is made anew from the copy on this machine', async () => {
    for (const path of pieces()) rmSync(path);
    const result = await system.check('--force', '--batch');
    expect(result).toMatchObject({ counts: { 'damage of the stored metadata': 1 } });
    system.forgetLocal();
    expect(await system.check('--force', '--batch')).toMatchObject({ findingCount: 0 });
    expect(await system.tree()).toEqual(intact);
  });

  test('without such a copy what is left of it needs a confirmation, and is repaired', async () => {
    system.forgetLocal();
    for (const path of pieces().slice(-1)) writeFileSync(path, readFileSync(path).subarray(0, 20));
    await expect(system.fsck()).rejects.toMatchObject({ exitCode: 41 });
    // Zeros in the middle of a database: either it can be repaired, or it says what to do.
    const outcome = await system.fsck('--force-remote').catch((error: unknown) => error);
    expect(outcome).toSatisfy(
      (value: { exitCode?: number; counts?: object }) => value.exitCode === 43 || 'damage of the metadata database' in (value.counts ?? {}),
    );
  });
});

describe('the database file:', () => {
  test('an index that lacks entries is made anew', async () => {
    const root = Number(system.value(`SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_names_1'`));
    const pageSize = Number(system.value('PRAGMA page_size'));
    const path = `${system.localDirectory}/metadata.db`;
    const bytes = readFileSync(path);
    // The header of a leaf without cells (SQLite's file format, 1.6).
    Buffer.from([0x0a, 0, 0, 0, 0, pageSize >> 8, pageSize & 0xff, 0]).copy(bytes, (root - 1) * pageSize);
    writeFileSync(path, bytes);
    expect(await system.findings()).toEqual({ 'damage of the metadata database': 1 });
    expect(await system.tree()).toEqual(intact);
    expect(await system.findings()).toEqual({});
  });

  test('nonsense in place of a current local copy: the one in the store is used', async () => {
    writeFileSync(`${system.localDirectory}/metadata.db`, 'nonsense'.repeat(2000));
    expect(await system.findings()).toEqual({});
    expect(await system.tree()).toEqual(intact);
  });

  test('a table whose declaration refers to a column that is no key: the copy in the store is used', async () => {
    const path = `${system.localDirectory}/metadata.db`;
    const bytes = readFileSync(path);
    bytes.write('inodes(iX)', bytes.indexOf('inodes(id)'), 'latin1');
    writeFileSync(path, bytes);
    expect(await system.findings()).toEqual({});
    expect(await system.tree()).toEqual(intact);
  });

  test('nonsense in place of a copy that the store has not: exit 43, and nothing changes', async () => {
    await system.use(async () => {}, { crash: true });
    const before = await system.seqNo();
    rmSync(`${system.localDirectory}/metadata.db-wal`, { force: true });
    writeFileSync(`${system.localDirectory}/metadata.db`, 'nonsense'.repeat(2000));
    await expect(system.fsck()).rejects.toMatchObject({ exitCode: 43 });
    expect(await system.seqNo()).toBe(before);
    expect(await system.findings('--force-remote')).toEqual({});
    expect(await system.tree()).toEqual(intact);
  });
});
