/** Copies of trees, random ones and some that others interfere with: everything is there, and nothing is counted wrong. */
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { countFigures } from '../../src/metadata/totals.ts';
import type { InodeId } from '../../src/metadata/types.ts';
import { BLOCK_BYTES, CALLER, MemoryFileSystem, ROOT } from '../support/memory-file-system.ts';
import { newSeed, Random } from '../support/random.ts';

const TREES = 3;
const ENTRIES = 250;

/** Directories with files of all sizes, links within and to the outside, symbolic links, attributes; some of it only in the cache. */
async function makeTree(system: MemoryFileSystem, random: Random, top: InodeId): Promise<void> {
  const directories = [top];
  const files: InodeId[] = [];
  for (let index = 0; index < ENTRIES; index += 1) {
    const parent = random.pick(directories);
    const name = Buffer.from(`${random.below(2) === 0 ? 'entry' : 'other'}-${index}`);
    const kind = random.weighted({ small: 12, empty: 2, large: 1, directory: 2, link: 2, outside: 1, symlink: 1, attribute: 1 });
    if (kind === 'directory') directories.push(system.directory(parent, name.toString()));
    else if (kind === 'symlink') system.fs.directories.makeSymlink(parent, name, Buffer.from('target'), CALLER);
    else if (kind === 'link' && files.length > 0) system.fs.directories.link(random.pick(files), parent, name);
    else {
      const blocks = kind === 'large' ? 70 : 1 + random.below(2);
      const contents = random.bytes(kind === 'empty' ? 0 : 1 + random.below(BLOCK_BYTES / 8));
      const file = await system.file(parent, name.toString(), contents);
      if (kind === 'large') await system.fs.files.write(file, BigInt(blocks * BLOCK_BYTES), contents, false);
      if (kind === 'attribute') system.fs.xattrs.set(file, Buffer.from('user.x'), contents, 0, false);
      if (kind === 'outside') system.fs.directories.link(file, ROOT, Buffer.from(`outside-${top}-${index}`));
      files.push(file);
    }
    if (random.below(40) === 0) await system.blocks.flush();
  }
}

interface Described {
  readonly [path: string]: string;
}

/** What there is below a directory, with links named by the first path of their file. */
async function describeTree(
  system: MemoryFileSystem,
  directory: InodeId,
  prefix: string = '',
  seen = new Map<InodeId, string>(),
): Promise<Described> {
  const described: Record<string, string> = {};
  for (const { name, inode: id } of system.fs.list(directory, 0, 1_000)) {
    const path = `${prefix}/${Buffer.from(name).toString()}`;
    const { mode, uid, gid, mtimeNs, size } = system.fs.inode(id);
    const first = seen.get(id);
    if (first === undefined) seen.set(id, path);
    const type = mode & 0o170000;
    const contents = type === 0o100000 ? (await system.contents(id)).toString('base64') : '';
    const attributes = type === 0o100000 ? system.database.xattrs.names(id).map((name) => Buffer.from(name).toString()) : [];
    described[path] = `${mode} ${uid} ${gid} ${mtimeNs} ${size} ${attributes.join(',')} ${first ?? ''} ${contents}`;
    if (type === 0o040000) Object.assign(described, await describeTree(system, id, path, seen));
  }
  return described;
}

/** Counts in the tables that are not what they count. */
function wrongCounts(connection: DatabaseSync): unknown[] {
  const checks = [
    `SELECT 'name', id, refcount FROM names n WHERE refcount !=
      (SELECT count(*) FROM contents WHERE name_id = n.id) + (SELECT count(*) FROM ext_attributes WHERE name_id = n.id)`,
    "SELECT 'object', id, refcount FROM objects o WHERE refcount != (SELECT count(*) FROM inode_blocks WHERE obj_id = o.id)",
    "SELECT 'inode', id, refcount FROM inodes i WHERE id > 3 AND refcount != (SELECT count(*) FROM contents WHERE inode = i.id)",
    "SELECT 'entry', name_id, inode FROM contents WHERE inode NOT IN (SELECT id FROM inodes) OR parent_inode NOT IN (SELECT id FROM inodes)",
  ];
  return checks.flatMap((check) => connection.prepare(check).all());
}

test('copies of random trees have all that the trees have, and all counts are right', async () => {
  const seed = newSeed();
  const random = new Random(seed);
  await using system = await MemoryFileSystem.open();
  for (let index = 0; index < TREES; index += 1) {
    const source = system.directory(ROOT, `source-${index}`);
    const target = system.directory(ROOT, `target-${index}`);
    await makeTree(system, random, source);
    system.database.totals();
    if (random.below(2) === 0) await system.fs.lockTree(source);
    await system.fs.copyTree(source, target);
    expect(await describeTree(system, target), `seed ${seed}`).toEqual(await describeTree(system, source));
  }
  await system.fs.commits.sync();
  using connection = new DatabaseSync(system.database.path, { readOnly: true });
  expect(wrongCounts(connection), `seed ${seed}`).toEqual([]);
  const { databaseSizeBytes: _size, ...totals } = system.database.totals();
  expect(totals, `seed ${seed}`).toEqual(countFigures(connection));
});

test('a copy into which somebody else writes fails without leaving anything half made', async () => {
  await using system = await MemoryFileSystem.open();
  const source = system.directory(ROOT, 'source');
  const target = system.directory(ROOT, 'target');
  for (let index = 0; index < 50; index += 1) await system.file(source, `file-${index}`, `${index}`);
  const copying = system.fs.copyTree(source, target);
  // The copy waits for the upload of what is dirty.
  await system.file(target, 'file-7', 'mine');
  await expect(copying).rejects.toMatchObject({ code: 'EEXIST' });
  expect(system.names(target)).toEqual(['file-7']);
  await system.fs.commits.sync();
  using connection = new DatabaseSync(system.database.path, { readOnly: true });
  expect(wrongCounts(connection)).toEqual([]);
});

test('a copy that is removed meanwhile ends, and leaves nothing behind', async () => {
  await using system = await MemoryFileSystem.open();
  const source = system.directory(ROOT, 'source');
  const target = system.directory(ROOT, 'target');
  for (let index = 0; index < 50; index += 1) await system.file(source, `file-${index}`, `${index}`);
  const copying = system.fs.copyTree(source, target);
  system.fs.directories.removeDirectory(ROOT, Buffer.from('target'));
  await expect(copying).rejects.toMatchObject({ code: 'ENOENT' });
  await system.fs.commits.sync();
  using connection = new DatabaseSync(system.database.path, { readOnly: true });
  expect(wrongCounts(connection)).toEqual([]);
  expect(system.fs.list(source, 0, 100)).toHaveLength(50);
});
