/** s3qlcp, s3qllock, s3qlrm and s3qlctrl on a real mount. */
import { constants } from 'node:fs';
import {
  appendFile,
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rmdir,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlFile, type MountStatistics } from '../../src/cli/control-file.ts';
import { setXattr } from '../../src/util/xattr.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { mustRun, type ProgramOptions, type ProgramResult } from '../support/run-program.ts';
import { STRANGER } from '../support/users.ts';

const ODD_NAME = `it's "odd" \\ \n ünd`;

let fileSystem: MountedFileSystem;
beforeAll(async () => {
  fileSystem = await MountedFileSystem.create();
});
afterAll(async () => {
  await fileSystem[Symbol.asyncDispose]();
});

const at = (...names: readonly string[]): string => join(fileSystem.mountpoint, ...names);

async function succeed(program: string, ...args: readonly string[]): Promise<void> {
  expect(await runCommand(program, args)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
}

function refusal(exitCode: number, message: string): Partial<ProgramResult> {
  return { exitCode, stdout: '', stderr: `error: ${message}\n` };
}

async function statistics(): Promise<MountStatistics> {
  return (await ControlFile.find(fileSystem.mountpoint)).statistics();
}

/** A tree with everything that a copy has to get right; `outside` is a second name of one of its files. */
async function makeTree(name: string): Promise<void> {
  const top = at(name);
  await mkdir(join(top, 'sub', 'empty'), { recursive: true });
  await writeFile(join(top, 'file'), 'x'.repeat(300_000));
  await link(join(top, 'file'), join(top, 'sub', 'hard link'));
  await writeFile(join(top, 'shared'), 'shared');
  await link(join(top, 'shared'), at(`${name}-outside`));
  await symlink('sub/hard link', join(top, 'symlink'));
  await writeFile(join(top, 'sub', ODD_NAME), 'odd');
  await setXattr(join(top, 'file'), 'user.colour', Buffer.from('blue'));
  await utimes(join(top, 'file'), 1, 1_500_000_000);
  await chmod(top, 0o750);
  await utimes(top, 1, 1_400_000_000);
}

test('s3qlcp copies a tree with its attributes, and neither side sees later changes of the other', async () => {
  await makeTree('tree');
  await succeed('s3qlctrl', 'flushcache', fileSystem.mountpoint);
  const before = await statistics();
  await succeed('s3qlcp', at('tree'), at('copy'));
  const after = await statistics();
  expect(after.objectCount).toBe(before.objectCount);
  expect(after.dirtyEntryCount).toBe(0n);

  await mustRun('diff', ['-r', '--no-dereference', at('tree'), at('copy')]);
  expect(await stat(at('copy'))).toMatchObject({ mode: constants.S_IFDIR | 0o750, mtimeMs: 1_400_000_000_000 });
  expect(await stat(at('copy', 'file'))).toMatchObject({ nlink: 2, mtimeMs: 1_500_000_000_000, size: 300_000 });
  expect((await stat(at('copy', 'sub', 'hard link'))).ino).toBe((await stat(at('copy', 'file'))).ino);
  expect((await stat(at('copy', 'file'))).ino).not.toBe((await stat(at('tree', 'file'))).ino);
  expect((await stat(at('copy', 'shared'))).nlink).toBe(1);
  expect(await readlink(at('copy', 'symlink'))).toBe('sub/hard link');
  const { stdout } = await mustRun('getfattr', ['--absolute-names', '--only-values', '-n', 'user.colour', at('copy', 'file')]);
  expect(stdout).toBe('blue');

  await appendFile(at('copy', 'file'), 'more');
  await writeFile(at('tree', 'sub', ODD_NAME), 'changed');
  expect((await readFile(at('tree', 'file'))).length).toBe(300_000);
  expect(await readFile(at('copy', 'sub', ODD_NAME), 'utf8')).toBe('odd');
});

test('s3qlcp copies what is written but in no store yet, also into a directory of the tree itself', async () => {
  await mkdir(at('fresh'));
  const file = await open(at('fresh', 'file'), 'w');
  await file.write('not even closed');
  await succeed('s3qlcp', at('fresh'), at('fresh', 'snapshot'));
  await file.close();
  expect(await readdir(at('fresh', 'snapshot'))).toEqual(['file']);
  expect(await readFile(at('fresh', 'snapshot', 'file'), 'utf8')).toBe('not even closed');
});

test('what s3qllock locks nobody can change, s3qlcp makes a copy that can be, and s3qlrm removes it', async () => {
  await makeTree('locked');
  await mkdir(at('also'));
  await succeed('s3qllock', at('locked'), at('also'));
  const file = at('locked', 'file');
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    write: () => appendFile(file, 'x'),
    truncate: () => truncate(file, 1),
    chmod: () => chmod(file, 0o600),
    utimes: () => utimes(file, 1, 1),
    xattr: () => setXattr(file, 'user.colour', Buffer.from('red')),
    create: () => writeFile(at('also', 'new'), ''),
    mkdir: () => mkdir(at('locked', 'sub', 'new')),
    link: () => link(at('copy', 'shared'), at('locked', 'link')),
    unlink: () => unlink(at('locked', 'sub', ODD_NAME)),
    rmdir: () => rmdir(at('locked', 'sub', 'empty')),
    'rename inside': () => rename(file, at('locked', 'renamed')),
    'rename away': () => rename(file, at('away')),
  };
  const outcomes: Record<string, string> = {};
  for (const [name, change] of Object.entries(changes)) {
    outcomes[name] = await change().then(
      () => 'done',
      ({ code }: NodeJS.ErrnoException) => code ?? 'failed',
    );
  }
  expect(outcomes).toEqual(Object.fromEntries(Object.keys(changes).map((name) => [name, 'EPERM'])));
  expect(await readdir(at('also'))).toEqual([]);

  expect(await runCommand('s3qlcp', [at('copy'), at('also', 'copy')])).toMatchObject(
    refusal(1, `${at('also')} is immutable: nothing can be copied there`),
  );
  await succeed('s3qlcp', at('locked'), at('unlocked'));
  await appendFile(at('unlocked', 'file'), 'x');

  await succeed('s3qlrm', at('locked'), at('also'));
  await expect(stat(at('locked'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(fileSystem.mountpoint)).not.toContain('also');
  expect(await readFile(at('locked-outside'), 'utf8')).toBe('shared');
});

test('s3qlrm takes names of any characters, relative paths, and symbolic links for what they are', async () => {
  await mkdir(at('odd', ODD_NAME), { recursive: true });
  await writeFile(at('odd', ODD_NAME, 'file'), 'x');
  await symlink('odd', at('to odd'));
  expect(await runCommand('s3qlrm', [join('odd', ODD_NAME), 'to odd'], { cwd: fileSystem.mountpoint })).toMatchObject({ exitCode: 0 });
  expect(await readdir(at('odd'))).toEqual([]);
  await expect(lstat(at('to odd'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('s3qlctrl flushes and empties the cache, changes its size and what is logged, and stores the metadata', async () => {
  await writeFile(at('big'), Buffer.alloc(600_000, 'data'));
  await succeed('s3qlctrl', 'flushcache', fileSystem.mountpoint);
  const flushed = await statistics();
  expect(flushed.dirtyEntryCount).toBe(0n);
  expect(flushed.cacheEntryCount).toBeGreaterThan(0n);
  await succeed('s3qlctrl', 'dropcache', at('tree'));
  expect((await statistics()).cacheEntryCount).toBe(0n);

  await succeed('s3qlctrl', 'cachesize', fileSystem.mountpoint, '256');
  await writeFile(at('big'), Buffer.alloc(1_200_000, 'more'));
  await succeed('s3qlctrl', 'flushcache', fileSystem.mountpoint);
  expect((await statistics()).cacheSizeBytes).toBeLessThanOrEqual(256n * 1024n);
  expect(await readFile(at('big'))).toEqual(Buffer.alloc(1_200_000, 'more'));

  await succeed('s3qlctrl', 'upload-limit', fileSystem.mountpoint, '00:00-12:00=1M,otherwise=2M');
  await succeed('s3qlctrl', 'upload-limit', fileSystem.mountpoint, 'unlimited');
  expect(await fileSystem.log()).toContain('Limit of uploads from now on: 00:00-12:00=1M,otherwise=2M');

  const info = 'Copying the tree';
  const copiesLogged = async (): Promise<number> => (await fileSystem.log()).split(info).length - 1;
  const logged = await copiesLogged();
  await succeed('s3qlctrl', 'log', fileSystem.mountpoint, 'warn');
  await succeed('s3qlcp', at('odd'), at('odd-1'));
  expect(await copiesLogged()).toBe(logged);
  await succeed('s3qlctrl', 'log', fileSystem.mountpoint, 'debug', 'blocks', 'fuse');
  await succeed('s3qlcp', at('odd'), at('odd-2'));
  expect(await copiesLogged()).toBe(logged + 1);
  await succeed('s3qlctrl', 'log', fileSystem.mountpoint, 'info');
  await succeed('s3qlctrl', 'backup-metadata', fileSystem.mountpoint);
});

describe('what cannot be done is refused with one line, and changes nothing', () => {
  const cases: ReadonlyArray<[string, () => [program: string, args: readonly string[], options?: ProgramOptions], number, () => string]> = [
    ['target exists', () => ['s3qlcp', [at('tree'), at('copy')]], 1, () => `${at('copy')} exists already`],
    ['no source', () => ['s3qlcp', [at('none'), at('new')]], 1, () => `${at('none')} does not exist`],
    ['source is a file', () => ['s3qlcp', [at('tree', 'file'), at('new')]], 1, () => `${at('tree', 'file')} is not a directory`],
    ['no parent', () => ['s3qlcp', [at('tree'), at('none', 'new')]], 1, () => `${at('none')} is not an existing directory`],
    ['source is the mount', () => ['s3qlcp', [at(), at('new')]], 1, () => `${at()} is a mountpoint`],
    [
      'target elsewhere',
      () => ['s3qlcp', [at('tree'), join(fileSystem.directory, 'new')]],
      1,
      () => `${join(fileSystem.directory, 'new')} is not in the same file system as ${at('tree')}`,
    ],
    [
      'source elsewhere',
      () => ['s3qlcp', [fileSystem.directory, at('new')]],
      1,
      () => `${fileSystem.directory} is not in a mounted S3QL file system`,
    ],
    ['locking a file', () => ['s3qllock', [at('tree', 'file')]], 1, () => `${at('tree', 'file')} is not a directory`],
    [
      'locking elsewhere',
      () => ['s3qllock', [fileSystem.directory]],
      1,
      () => `${fileSystem.directory} is not in a mounted S3QL file system`,
    ],
    ['removing nothing', () => ['s3qlrm', [at('none')]], 1, () => `${at('none')} does not exist`],
    ['removing the mount', () => ['s3qlrm', [at()]], 1, () => `${at()} is a mountpoint`],
    [
      'removing elsewhere',
      () => ['s3qlrm', [fileSystem.cacheDirectory]],
      1,
      () => `${fileSystem.directory} is not in a mounted S3QL file system`,
    ],
    [
      'an ordinary user',
      () => ['s3qllock', [at('tree')], { uid: STRANGER.uid, gid: STRANGER.gid }],
      1,
      () => `${at('tree')} cannot be accessed: only the user who mounted an S3QL file system may do this`,
    ],
    ['no size', () => ['s3qlctrl', ['cachesize', at()]], 2, () => '"cachesize" takes a number of KiB'],
    ['unknown level', () => ['s3qlctrl', ['log', at(), 'loud']], 2, () => '"log" takes one of debug, info, warn'],
    ['no mount', () => ['s3qlctrl', ['flushcache', '/']], 1, () => '/ is not in a mounted S3QL file system'],
  ];
  test.each(cases)('%s', async (_name, command, exitCode, message) => {
    const entries = await readdir(fileSystem.mountpoint);
    const [program, args, options] = command();
    expect(await runCommand(program, args, options)).toMatchObject(refusal(exitCode, message()));
    expect(await readdir(fileSystem.mountpoint)).toEqual(entries);
    await expect(stat(join(fileSystem.directory, 'new'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('all of this leaves a store without errors', async () => {
  expect(await fileSystem.brokenInvariants()).toEqual([]);
});

test('a mount whose process has died is named as such', async () => {
  await using crashed = await MountedFileSystem.create();
  const { mountpoint, pid } = crashed;
  process.kill(pid, 'SIGKILL');
  // Answers once the kernel knows that nobody serves it any more.
  while (
    await stat(mountpoint).then(
      () => true,
      () => false,
    )
  );
  const died = `The process that served ${mountpoint} has died: take the mount away with umount.s3ql, then mount again`;
  expect(await runCommand('s3qlctrl', ['flushcache', mountpoint])).toMatchObject(refusal(1, died));
  expect(await runCommand('s3qlcp', [mountpoint, join(mountpoint, 'x')])).toMatchObject(refusal(1, died));
});
