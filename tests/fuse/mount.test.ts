import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, readdir, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountFuse, type FuseMount } from '../../src/fuse/mount.ts';
import { MemoryFileSystem } from '../support/fuse/memory-file-system.ts';

const run = promisify(execFile);
const errors: unknown[] = [];
let directory: string;
let fileSystem: MemoryFileSystem;
let mount: FuseMount;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-fuse-'));
  errors.length = 0;
  fileSystem = new MemoryFileSystem();
  mount = await mountFuse({
    mountpoint: directory,
    source: 'local:///some, place/',
    subtype: 's3ql',
    allowOther: true,
    defaultPermissions: true,
    noSuid: true,
    noDev: true,
    handlers: fileSystem,
    session: { onError: (error) => errors.push(error) },
  });
});

afterEach(async () => {
  await mount.unmount({ lazy: true });
  await mount.ended;
  await rmdir(directory);
  if (errors.length > 0) throw new AggregateError(errors, 'The session reported errors');
});

test('a mount shows its source, its type and its options', async () => {
  const { stdout } = await run('findmnt', ['-n', '-o', 'SOURCE,FSTYPE,OPTIONS', directory]);
  expect(stdout).toContain('local:///some, place/');
  expect(stdout).toContain('fuse.s3ql');
  expect(stdout).toMatch(/rw,nosuid,nodev,.*default_permissions,allow_other/);
});

test('tools work in it: files, directories, links, attributes, a tree copied and compared', async () => {
  await run('sh', [
    '-ec',
    `cd "$1"; mkdir a; echo one > a/file; ln a/file a/hard; ln -s file a/soft; mkfifo a/fifo; chmod 600 a/file; touch -d @1234567890.123456789 a/file
     mv a/file a/moved; cp -a a b; diff -r --no-dereference a/soft b/soft; cmp a/moved b/moved; rm -r b; dd if=/dev/urandom of=big bs=1M count=9 status=none; cp big big2; cmp big big2
     truncate -s 100 big; setfattr -n user.x -v y big; test "$(getfattr --only-values -n user.x big)" = y; mv --exchange big big2 2>/dev/null || true; rm big big2`,
    'sh',
    directory,
  ]);
  const { mtimeMs, mode, nlink } = await stat(join(directory, 'a/moved'));
  expect([mtimeMs, mode & 0o777, nlink]).toEqual([1_234_567_890_123.4568, 0o600, 2]);
  expect((await readdir(join(directory, 'a'))).sort()).toEqual(['fifo', 'hard', 'moved', 'soft']);
  expect(await readFile(join(directory, 'a/soft')).catch((error: NodeJS.ErrnoException) => error.code)).toBe('ENOENT');
});

test('umount(8) from outside ends the session, and the handlers hear of it once', async () => {
  await writeFile(join(directory, 'file'), 'x');
  await symlink('file', join(directory, 'link'));
  await run('umount', [directory]);
  await mount.ended;
  expect(fileSystem.destroyed).toBe(1);
  await mount.unmount();
});

test('a mount in use can not be unmounted except lazily', async () => {
  const handle = await open(join(directory, 'file'), 'w');
  await expect(mount.unmount()).rejects.toMatchObject({ code: 'EBUSY' });
  await mount.unmount({ lazy: true });
  await handle.write('still there');
  await handle.close();
  await mount.ended;
  await rm(join(directory, 'file'), { force: true });
});
