/** POSIX operations on the file system itself: real database and block cache, no kernel. */
import { StatementSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { CONTROL_FILE_NAME, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../../src/filesystem/directory-operations.ts';
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  MAX_FILE_BYTES,
} from '../../src/filesystem/file-operations.ts';
import type { InodeId } from '../../src/metadata/types.ts';
import { BLOCK_BYTES, CALLER, MemoryFileSystem, ROOT } from '../support/memory-file-system.ts';

let system: MemoryFileSystem;

beforeEach(async () => {
  system = await MemoryFileSystem.open();
});

afterEach(async () => {
  await system[Symbol.asyncDispose]();
});

const bytes = (text: string): Buffer => Buffer.from(text);
const code = (errno: string): unknown => expect.objectContaining({ code: errno });
const forget = (id: InodeId): void => system.fs.forget(id, 1_000_000);

test('a new file has the caller as owner, mode less umask, and its directory is touched', () => {
  const before = system.fs.inode(ROOT).mtimeNs;
  const inode = system.fs.directories.make(ROOT, bytes('f'), 0o100666, 0, CALLER);
  expect(inode).toMatchObject({ mode: 0o100644, uid: 1000, gid: 100, linkCount: 1, size: 0n });
  expect(system.fs.inode(ROOT).mtimeNs).toBeGreaterThan(before);
  expect(() => system.fs.directories.make(ROOT, bytes('f'), 0o100666, 0, CALLER)).toThrow(code('EEXIST'));
});

test('a setgid directory hands its group down, and setgid itself to subdirectories', async () => {
  const directory = system.directory(ROOT, 'd');
  await system.fs.attributes.change(directory, { mode: 0o2775, gid: 777, killSuidgid: false });
  expect(system.fs.directories.make(directory, bytes('f'), 0o100644, 0, CALLER)).toMatchObject({ gid: 777, mode: 0o100644 });
  expect(system.fs.directories.make(directory, bytes('s'), 0o040755, 0, CALLER)).toMatchObject({ gid: 777, mode: 0o042755 });
});

test('the links of a directory are two and one for each subdirectory', async () => {
  const directory = system.directory(ROOT, 'd');
  const links = async (id: InodeId): Promise<number> => (await system.fs.stat(system.fs.inode(id))).nlink;
  system.directory(directory, 'a');
  system.directory(directory, 'b');
  await system.file(directory, 'f');
  expect([await links(ROOT), await links(directory)]).toEqual([4, 4]);
  system.fs.directories.rename(directory, bytes('a'), ROOT, bytes('a'), 0);
  expect([await links(ROOT), await links(directory)]).toEqual([5, 3]);
  system.fs.directories.removeDirectory(directory, bytes('b'));
  expect(await links(directory)).toBe(2);
});

test.each([
  ['a name of 256 bytes', 'n'.repeat(256), 'ENAMETOOLONG'],
  ['the control file', CONTROL_FILE_NAME.toString(), 'EACCES'],
])('%s cannot be made', (_what, name, errno) => {
  expect(() => system.fs.directories.make(ROOT, bytes(name), 0o100644, 0, CALLER)).toThrow(code(errno));
});

test('the control file is found in every directory and listed in none', () => {
  const directory = system.directory(ROOT, 'd');
  expect([system.lookup(ROOT, CONTROL_FILE_NAME.toString()), system.lookup(directory, CONTROL_FILE_NAME.toString())]).toEqual([2, 2]);
  expect([system.names(directory), system.names(ROOT)]).toEqual([[], ['d', 'lost+found']]);
});

test('a directory with entries is neither removed nor renamed over', async () => {
  const full = system.directory(ROOT, 'full');
  await system.file(full, 'f');
  system.directory(ROOT, 'other');
  expect(() => system.fs.directories.removeDirectory(ROOT, bytes('full'))).toThrow(code('ENOTEMPTY'));
  expect(() => system.fs.directories.rename(ROOT, bytes('other'), ROOT, bytes('full'), 0)).toThrow(code('ENOTEMPTY'));
  system.fs.directories.rename(ROOT, bytes('full'), ROOT, bytes('other'), 0);
  expect(system.names(ROOT)).toEqual(['lost+found', 'other']);
});

test('rename replaces a file, whose inode goes when the kernel forgets it', async () => {
  const old = await system.file(ROOT, 'target', 'old');
  const fresh = await system.file(ROOT, 'source', 'new');
  system.fs.directories.rename(ROOT, bytes('source'), ROOT, bytes('target'), 0);
  expect(system.lookup(ROOT, 'target')).toBe(fresh);
  expect((await system.contents(old)).toString()).toBe('old');
  forget(old);
  expect(() => system.fs.inode(old)).toThrow(code('ENOENT'));
});

test('renaming a hard link onto its other name does nothing', async () => {
  const id = await system.file(ROOT, 'a');
  system.fs.directories.link(id, ROOT, bytes('b'));
  system.fs.directories.rename(ROOT, bytes('a'), ROOT, bytes('b'), 0);
  expect([system.names(ROOT), system.fs.inode(id).linkCount]).toEqual([['a', 'b', 'lost+found'], 2]);
});

test('rename can refuse to replace, exchange, and leave a whiteout', async () => {
  const a = await system.file(ROOT, 'a');
  const b = system.directory(ROOT, 'b');
  const rename = (from: string, to: string, flags: number): void => system.fs.directories.rename(ROOT, bytes(from), ROOT, bytes(to), flags);
  expect(() => rename('a', 'b', RENAME_NOREPLACE)).toThrow(code('EEXIST'));
  expect(() => rename('a', 'missing', RENAME_EXCHANGE)).toThrow(code('ENOENT'));
  rename('a', 'b', RENAME_EXCHANGE);
  expect([system.lookup(ROOT, 'a'), system.lookup(ROOT, 'b')]).toEqual([b, a]);
  rename('b', 'c', RENAME_WHITEOUT);
  expect(system.fs.inode(system.lookup(ROOT, 'b') as InodeId)).toMatchObject({ mode: 0o020000, rdev: 0 });
});

test('an unlinked file is readable until the kernel forgets it; then its blocks are gone', async () => {
  const id = await system.file(ROOT, 'f', 'x'.repeat(3 * BLOCK_BYTES));
  await system.blocks.flush();
  system.fs.directories.unlink(ROOT, bytes('f'));
  expect((await system.contents(id)).length).toBe(3 * BLOCK_BYTES);
  forget(id);
  await system.fs.finish();
  expect(system.database.totals()).toMatchObject({ objectCount: 0, inodeCount: 3 });
});

test('a nameless file gets a name by link, or goes when it is forgotten', async () => {
  const named = system.fs.directories.makeNameless(ROOT, 0o100600, CALLER);
  const lost = system.fs.directories.makeNameless(ROOT, 0o100600, CALLER);
  await system.fs.files.write(named.id, 0n, bytes('kept'), false);
  system.fs.directories.link(named.id, ROOT, bytes('name'));
  forget(named.id);
  forget(lost.id);
  expect((await system.contents(named.id)).toString()).toBe('kept');
  expect(() => system.fs.inode(lost.id)).toThrow(code('ENOENT'));
});

test('writing past the end leaves zeros, and truncating up does too', async () => {
  const id = await system.file(ROOT, 'f', 'ab');
  await system.fs.files.write(id, 5n, bytes('cd'), false);
  await system.fs.files.truncate(id, 3n, false);
  await system.fs.files.truncate(id, 6n, false);
  expect(await system.contents(id)).toEqual(bytes('ab\0\0\0\0'));
});

test('a write by somebody without CAP_FSETID clears setuid and effective setgid', async () => {
  const id = await system.file(ROOT, 'f');
  await system.fs.attributes.change(id, { mode: 0o6755, killSuidgid: false });
  await system.fs.files.write(id, 0n, bytes('x'), true);
  expect(system.fs.inode(id).mode).toBe(0o100755);
});

test('a file of the largest size is made, sought and deleted at once', async () => {
  const id = await system.file(ROOT, 'huge');
  await system.fs.files.truncate(id, MAX_FILE_BYTES, false);
  await system.fs.files.write(id, 2n ** 62n, bytes('middle'), false);
  expect(system.fs.files.seek(id, 0n, 3)).toBe((2n ** 62n / BigInt(BLOCK_BYTES)) * BigInt(BLOCK_BYTES));
  expect(system.fs.files.seek(id, 0n, 4)).toBe(0n);
  expect(() => system.fs.files.write(id, MAX_FILE_BYTES, bytes('x'), false)).toThrow(code('EFBIG'));
  system.fs.directories.unlink(ROOT, bytes('huge'));
  forget(id);
  await system.fs.finish();
  expect(system.database.totals().inodeCount).toBe(3);
});

test('holes are punched, ranges taken out and put in', async () => {
  const id = await system.file(ROOT, 'f', 'a'.repeat(BLOCK_BYTES) + 'b'.repeat(BLOCK_BYTES) + 'c'.repeat(BLOCK_BYTES));
  const block = BigInt(BLOCK_BYTES);
  const letters = async (): Promise<string> =>
    (await system.contents(id))
      .toString()
      .replaceAll('\0', '.')
      .replaceAll(/(.)\1*/g, (run) => `${run[0]}${run.length / BLOCK_BYTES}`);
  await system.fs.files.fallocate(id, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, block, block, false);
  expect(await letters()).toBe('a1.1c1');
  await system.fs.files.fallocate(id, FALLOC_FL_COLLAPSE_RANGE, block, block, false);
  expect(await letters()).toBe('a1c1');
  await system.fs.files.fallocate(id, FALLOC_FL_INSERT_RANGE, block, 2n * block, false);
  expect(await letters()).toBe('a1.2c1');
});

test('a copied range shares its objects with the source', async () => {
  const source = await system.file(ROOT, 'a', Buffer.concat([Buffer.alloc(BLOCK_BYTES, 1), Buffer.alloc(BLOCK_BYTES, 2)]));
  const target = await system.file(ROOT, 'b');
  const copied = await system.fs.files.copyRange(source, 0n, target, 0n, 10n ** 12n, false, new AbortController().signal);
  expect(copied).toBe(2n * BigInt(BLOCK_BYTES));
  expect(await system.contents(target)).toEqual(await system.contents(source));
  await system.blocks.flush();
  expect(system.database.totals().objectCount).toBe(2);
});

test('a copy that is interrupted has copied what it says, and the file has that size', async () => {
  const blocks = 600;
  const source = await system.file(ROOT, 'a', Buffer.alloc(blocks * BLOCK_BYTES, 1));
  const target = await system.file(ROOT, 'b');
  await system.blocks.flush();
  const abort = new AbortController();
  const copying = system.fs.files.copyRange(source, 0n, target, 0n, 10n ** 12n, false, abort.signal);
  // Between its first slice and the second.
  setImmediate(() => abort.abort());
  const copied = await copying;
  expect(copied).toBeGreaterThan(0n);
  expect(copied).toBeLessThan(BigInt(blocks * BLOCK_BYTES));
  expect(system.fs.inode(target).size).toBe(copied);
  expect(await system.contents(target)).toEqual(Buffer.alloc(Number(copied), 1));
});

test('statfs reads no table: its figures follow every change by themselves', async () => {
  const { files, freeBlocks } = system.fs.statistics();
  expect(files).toBe(1_000_000n);
  const get = vi.spyOn(StatementSync.prototype, 'get');
  const all = vi.spyOn(StatementSync.prototype, 'all');
  onTestFinished(() => void vi.restoreAllMocks());
  const executed = (): unknown[] => [...get.mock.contexts, ...all.mock.contexts].map((statement) => (statement as StatementSync).sourceSQL);
  await system.file(ROOT, 'f', Buffer.alloc(10 * BLOCK_BYTES, 1));
  await system.blocks.flush();
  expect(executed()).not.toEqual([]);
  get.mockClear();
  all.mockClear();
  expect(system.fs.statistics().freeBlocks).toBeLessThan(freeBlocks);
  expect(executed().filter((sql) => sql !== 'PRAGMA page_count')).toEqual([]);
});

test('chmod moves the mask of an ACL, and setting an ACL moves the mode', async () => {
  const id = await system.file(ROOT, 'f');
  const acl = Buffer.from('0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff', 'hex');
  system.fs.xattrs.set(id, bytes('system.posix_acl_access'), acl, 0, false);
  expect(system.fs.inode(id).mode).toBe(0o100664);
  await system.fs.attributes.change(id, { mode: 0o640, killSuidgid: false });
  const mask = Buffer.from(system.fs.xattrs.get(id, bytes('system.posix_acl_access'))).readUInt16LE(4 + 3 * 8 + 2);
  expect(mask).toBe(4);
});

test('a locked tree cannot be changed in any way, only removed as a whole', async () => {
  const directory = system.directory(ROOT, 'd');
  const file = await system.file(directory, 'f', 'x');
  await system.fs.lockTree(directory);
  const attempts: Array<() => unknown> = [
    () => system.fs.files.write(file, 0n, bytes('y'), false),
    () => system.fs.files.truncate(file, 0n, false),
    () => system.fs.files.open(file, true),
    () => system.fs.attributes.change(file, { mode: 0o777, killSuidgid: false }),
    () => system.fs.xattrs.set(file, bytes('user.x'), bytes('y'), 0, false),
    () => system.fs.directories.link(file, ROOT, bytes('link')),
    () => system.fs.directories.rename(ROOT, bytes('d'), ROOT, bytes('e'), 0),
    () => system.fs.directories.rename(directory, bytes('f'), ROOT, bytes('g'), 0),
    () => system.fs.directories.unlink(directory, bytes('f')),
    () => system.fs.directories.removeDirectory(ROOT, bytes('d')),
    () => system.fs.directories.make(directory, bytes('new'), 0o100644, 0, CALLER),
  ];
  for (const attempt of attempts) expect(attempt).toThrow(code('EPERM'));
  const removed: string[] = [];
  await system.fs.removeTree(ROOT, bytes('d'), (_parent, name) => removed.push(Buffer.from(name).toString()));
  expect([removed, system.names(ROOT)]).toEqual([['f', 'd'], ['lost+found']]);
});

test('a copy of a tree shares data, keeps links inside, breaks those to the outside, and is not locked', async () => {
  const source = system.directory(ROOT, 'source');
  const target = system.directory(ROOT, 'target');
  const subdirectory = system.directory(source, 'sub');
  const linked = await system.file(source, 'one', 'contents of both');
  system.fs.directories.link(linked, subdirectory, bytes('two'));
  const outside = await system.file(ROOT, 'outside', 'outer');
  system.fs.directories.link(outside, source, bytes('inside'));
  system.fs.directories.makeSymlink(source, bytes('sym'), bytes('one'), CALLER);
  system.fs.xattrs.set(linked, bytes('user.x'), bytes('value'), 0, false);
  await system.fs.lockTree(source);
  await system.fs.copyTree(source, target);

  const copySub = system.lookup(target, 'sub') as InodeId;
  const copy = system.lookup(target, 'one') as InodeId;
  expect(system.names(target)).toEqual(['inside', 'one', 'sub', 'sym']);
  expect(system.lookup(copySub, 'two')).toBe(copy);
  expect(system.fs.inode(copy)).toMatchObject({ linkCount: 2, locked: false, mtimeNs: system.fs.inode(linked).mtimeNs });
  expect(system.fs.inode(system.lookup(target, 'inside') as InodeId).linkCount).toBe(1);
  expect(Buffer.from(system.fs.xattrs.get(copy, bytes('user.x')))).toEqual(bytes('value'));
  expect((await system.contents(copy)).toString()).toBe('contents of both');
  expect(system.database.totals().objectCount).toBe(2);
  await system.fs.files.write(copy, 0n, bytes('CONTENTS'), false);
  expect((await system.contents(linked)).toString()).toBe('contents of both');
});

test('a tree can be copied into a directory of its own', async () => {
  const source = system.directory(ROOT, 'source');
  await system.file(source, 'f', 'x');
  const target = system.directory(source, 'target');
  await system.fs.copyTree(source, target);
  expect([system.names(source), system.names(target)]).toEqual([['f', 'target'], ['f']]);
});

test('relatime moves atime only when it is not newer than mtime', async () => {
  const id = await system.file(ROOT, 'f', 'x');
  expect(system.fs.files.open(id, false).atimeDue).toBe(true);
  await system.contents(id);
  const first = system.fs.inode(id).atimeNs;
  expect(first).toBeGreaterThan(system.fs.inode(id).mtimeNs);
  await system.contents(id);
  expect(system.fs.inode(id).atimeNs).toBe(first);
});

test('times beyond the columns are clamped, those before 1970 kept', async () => {
  const id = await system.file(ROOT, 'f');
  await system.fs.attributes.change(id, { atimeNs: -(10n ** 18n), mtimeNs: 2n ** 64n, killSuidgid: false });
  expect(system.fs.inode(id)).toMatchObject({ atimeNs: -(10n ** 18n), mtimeNs: 2n ** 63n - 1n });
});
