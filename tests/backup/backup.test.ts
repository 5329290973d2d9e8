/** `s3ql backup` and `s3ql expire` on a real mount, with the real rsync. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { installDebianPackages } from '../support/debian-packages.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { mustRun, type ProgramOptions, type ProgramResult } from '../support/run-program.ts';
import { STRANGER } from '../support/users.ts';

const PATTERN = /^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d$/;
const PARTIAL = '.s3ql-backup.partial';

let fileSystem: MountedFileSystem;
let source: string;
/** Where the backups of one test are. */
let target: string;
let testCount = 0;
beforeAll(async () => {
  installDebianPackages('rsync');
  fileSystem = await MountedFileSystem.create();
});
beforeEach(async () => {
  testCount += 1;
  source = join(fileSystem.directory, `source-${testCount}`);
  target = join(fileSystem.mountpoint, `backups-${testCount}`);
  await mkdir(target);
  await mkdir(join(source, 'sub'), { recursive: true });
  await writeFile(join(source, 'file'), 'first');
  await writeFile(join(source, 'sub', 'data'), Buffer.alloc(300_000, 'data'));
  await link(join(source, 'sub', 'data'), join(source, 'linked'));
  await symlink('sub/data', join(source, 'symlink'));
});
afterAll(async () => {
  await fileSystem[Symbol.asyncDispose]();
});

const backup = (...args: readonly string[]): Promise<ProgramResult> => runCommand('s3ql', ['backup', ...args]);
const backups = async (): Promise<string[]> => (await readdir(target)).filter((name) => PATTERN.test(name)).sort();
const failure = (exitCode: number, message: string): Partial<ProgramResult> => ({ exitCode, stdout: '', stderr: `error: ${message}\n` });

/** Makes a backup and gives it another date. */
async function backUpAs(name: string): Promise<string> {
  const { stdout } = await mustRunBackup();
  await rename(stdout.trim(), join(target, name));
  return join(target, name);
}

async function mustRunBackup(...args: readonly string[]): Promise<ProgramResult> {
  const result = await backup('--writable', '--quiet', ...args, `${source}/`, target);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result;
}

test('each backup has all of the source as it was, unchanged files share their data, and nobody can change a backup', async () => {
  const first = await backup(`${source}/`, target);
  expect(first).toMatchObject({ exitCode: 0 });
  const [name = ''] = await backups();
  expect(first.stdout).toBe(`${join(target, name)}\n`);
  await rename(source, `${source}-was`);
  await mustRun('cp', ['-a', `${source}-was`, source]);
  await writeFile(join(source, 'file'), 'second, longer');
  await rm(join(source, 'symlink'));
  const second = await backup('--json', '--quiet', `${source}/`, target);
  expect(second).toMatchObject({ exitCode: 0, stderr: '' });
  const names = await backups();
  expect(JSON.parse(second.stdout)).toEqual({
    path: join(target, names[1] ?? ''),
    name: names[1],
    previous: name,
    resumed: false,
    complete: true,
  });

  await mustRun('diff', ['-r', '--no-dereference', `${source}-was`, join(target, name)]);
  await mustRun('diff', ['-r', '--no-dereference', source, join(target, names[1] ?? '')]);
  for (const made of names) {
    const [data, linked] = await Promise.all([stat(join(target, made, 'sub', 'data')), stat(join(target, made, 'linked'))]);
    expect(linked).toMatchObject({ ino: data.ino, nlink: 2 });
    await expect(appendFile(join(target, made, 'file'), 'x')).rejects.toMatchObject({ code: 'EPERM' });
    await expect(writeFile(join(target, made, 'new'), 'x')).rejects.toMatchObject({ code: 'EPERM' });
  }
  expect(await readlink(join(target, name, 'symlink'))).toBe('sub/data');
});

test('without a slash the directory itself is copied; patterns and options reach rsync', async () => {
  await writeFile(join(source, 'junk.tmp'), 'junk');
  await writeFile(join(source, 'big'), Buffer.alloc(100_000));
  const { stdout } = await backup('--quiet', '--exclude', '*.tmp', '--rsync-option=--max-size=50k', source, target);
  const copy = join(stdout.trim(), source.split('/').at(-1) ?? '');
  expect((await readdir(copy)).sort()).toEqual(['file', 'sub', 'symlink']);
});

test('an interrupted backup has no date, and the next run goes on with it', async () => {
  // A remote shell that never answers: an interruption at a known place.
  const shell = join(fileSystem.directory, 'hanging-shell');
  await writeFile(shell, `#!/bin/sh\necho started >&2\ncat >/dev/null; true\n`);
  await chmod(shell, 0o755);
  await mustRunBackup();
  const program = join(import.meta.dirname, '../../bin/s3ql');
  const child = spawn(program, ['backup', `--rsync-option=--rsh=${shell}`, 'host:/x', target], { stdio: ['ignore', 'pipe', 'pipe'] });
  let messages = '';
  child.stderr.on('data', (chunk: Buffer) => (messages += chunk.toString()));
  const closed = once(child, 'close');
  while (!messages.includes('started')) await once(child.stderr, 'data');

  expect(await backup(`${source}/`, target)).toMatchObject(failure(1, `Another process makes or removes backups in ${target}`));
  expect(await runCommand('s3ql', ['expire', '1', '2'], { cwd: target })).toMatchObject({ exitCode: 1 });
  child.kill('SIGINT');
  expect(await closed).toEqual([130, null]);
  expect(await backups()).toHaveLength(1);
  const interrupted = await stat(join(target, PARTIAL));

  const { exitCode, stdout, stderr } = await backup(`${source}/`, target);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Going on with the backup') as string });
  expect((await stat(stdout.trim())).ino).toBe(interrupted.ino);
  await mustRun('diff', ['-r', '--no-dereference', source, stdout.trim()]);
  expect(await backups()).toHaveLength(2);
  expect(await readdir(target)).not.toContain(PARTIAL);
});

test('what a run that died while the mount was copying has left is not taken for a backup', async () => {
  await mustRunBackup();
  await mkdir(join(target, '.s3ql-backup.snapshot', 'rubbish'), { recursive: true });
  const { stdout } = await mustRunBackup();
  await mustRun('diff', ['-r', '--no-dereference', source, stdout.trim()]);
  expect((await readdir(target)).sort()).toEqual(await backups());
});

test('files that cannot be read leave the backup unfinished, unless it is to be finished without them', async () => {
  await mustRun('mkfifo', [join(source, 'fifo')]);
  await chmod(join(source, 'file'), 0);
  await chmod(source, 0o755);
  await chmod(target, 0o777);
  // Root may read everything: an ordinary user's rsync reports what it may not.
  const asUser = join(fileSystem.directory, 'as-user');
  await writeFile(asUser, `#!/bin/sh\nshift\nexec setpriv --reuid ${STRANGER.uid} --regid ${STRANGER.gid} --clear-groups "$@"\n`);
  await chmod(asUser, 0o755);
  const args = [`--rsync-option=--rsh=${asUser}`, '--rsync-option=--no-devices', `host:${source}/`, target];
  const refused = await backup(...args);
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toMatch(/error: Not everything could be copied \(rsync: .*Permission denied.*\): the unfinished backup is kept/);
  expect(await backups()).toEqual([]);

  const finished = await backup('--keep-going', ...args);
  expect(finished).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('was made, but some files could not be read') as string });
  expect((await readdir(finished.stdout.trim())).sort()).toEqual(['fifo', 'linked', 'sub', 'symlink']);
});

describe('expire', () => {
  const DAYS = ['01', '02', '03', '04', '05', '06'].map((day) => `2026-01-${day}_03:00:00`);
  const expire = (args: readonly string[], options: ProgramOptions = { cwd: target }): Promise<ProgramResult> =>
    runCommand('s3ql', ['expire', ...args], options);

  test('says what it would do, does it, and knows the ages of the rest', async () => {
    for (const name of DAYS) await backUpAs(name);
    await mustRun(
      join(import.meta.dirname, '../../bin/s3qllock'),
      DAYS.map((name) => join(target, name)),
    );
    expect(await expire(['1', '3', '7'])).toMatchObject(
      failure(
        1,
        `There are 6 backups, but no state file ${target}/.expire_backups.dat that knows their ages: use --reconstruct-state to guess them from the dates`,
      ),
    );
    const ages = ['--reconstruct-state', '1', '3', '7'];
    expect(await expire([...ages, '-p', '0.4'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('3 of 6 backups') as string,
    });
    const dry = await expire(['-n', ...ages]);
    expect(dry).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: [
        ...['01', '02', '04'].map((day) => `remove 2026-01-${day}_03:00:00\n`),
        'keep   2026-01-03_03:00:00 (age 3)\nkeep   2026-01-05_03:00:00 (age 1)\nkeep   2026-01-06_03:00:00 (age 0)\n',
      ].join(''),
    });
    expect(await backups()).toEqual(DAYS);

    expect(await expire(['--quiet', ...ages])).toMatchObject(
      failure(1, `${target}/2026-01-01_03:00:00 cannot be removed: it is immutable; --use-s3qlrm removes such backups`),
    );
    const done = await expire(['--use-s3qlrm', '--json', '--quiet', '1', '3', '7']);
    expect(JSON.parse(done.stdout)).toMatchObject({ dryRun: false, removed: [DAYS[0], DAYS[1], DAYS[3]] });
    expect(await backups()).toEqual([DAYS[2], DAYS[4], DAYS[5]]);
    expect(await readFile(join(target, '.expire_backups.dat'), 'utf8')).toBe(
      "{ '2026-01-03_03:00:00': 3, '2026-01-05_03:00:00': 1, '2026-01-06_03:00:00': 0 }",
    );
  });

  test('after each backup, as part of it; a clock that jumps costs no backup', async () => {
    for (const name of [...DAYS.slice(0, 2), '2099-01-01_00:00:00']) await backUpAs(name);
    const { stdout } = await mustRunBackup('--keep-daily', '2', '--keep-yearly', '1');
    expect(await backups()).toEqual([DAYS[1], stdout.trim().split('/').at(-1), '2099-01-01_00:00:00']);
    const again = await mustRunBackup('--keep-last', '1');
    expect(await backups()).toEqual([again.stdout.trim().split('/').at(-1), '2099-01-01_00:00:00']);
    const last = [await mustRunBackup('--expire', '1,2'), await mustRunBackup('--expire', '1,2')];
    expect(await backups()).toEqual([...last.map(({ stdout }) => stdout.trim().split('/').at(-1)), '2099-01-01_00:00:00']);
  });

  test('a state file that is damaged is not guessed over', async () => {
    await backUpAs(DAYS[0] ?? '');
    await backUpAs(DAYS[1] ?? '');
    const state = join(target, '.expire_backups.dat');
    await writeFile(state, '{ rubbish');
    const { exitCode, stderr } = await expire(['--reconstruct-state', '1']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: The state file .* is damaged \(.*\): remove it and use --reconstruct-state\n$/);
    expect(await readFile(state, 'utf8')).toBe('{ rubbish');
    expect(await backups()).toHaveLength(2);
  });
});

describe('what cannot be done is refused with one line, and changes nothing', () => {
  const cases: ReadonlyArray<[string, () => [args: readonly string[], options?: ProgramOptions], number, () => string]> = [
    ['no target', () => [['backup', source]], 2, () => "Missing required argument 'mountpoint'"],
    ['no source', () => [['backup', `${source}/none`, target]], 1, () => `${source}/none does not exist`],
    ['not in a mount', () => [['backup', source, source]], 1, () => `${source} is not in a mounted S3QL file system`],
    ['no such target', () => [['backup', source, `${target}/none`]], 1, () => `${target}/none does not exist`],
    ['target is a file', () => [['backup', source, '/etc/passwd']], 1, () => '/etc/passwd is not a directory'],
    [
      'into itself',
      () => [['backup', fileSystem.mountpoint, target]],
      1,
      () => `${fileSystem.mountpoint} cannot be backed up into ${target}: one of them contains the other`,
    ],
    [
      "another user's mount",
      () => [['backup', source, target], { uid: STRANGER.uid, gid: STRANGER.gid }],
      1,
      () => `${target} cannot be accessed: only the user who mounted an S3QL file system may do this`,
    ],
    [
      'two policies',
      () => [['backup', '--expire', '1', '--keep-last', '2', source, target]],
      2,
      () => 'Ages and --keep options exclude each other',
    ],
    ['nothing to keep', () => [['expire']], 2, () => 'What is to be kept: give ages, or --keep options'],
    ['ages descend', () => [['expire', '3', '1']], 2, () => "Command-argument value '1' is invalid for argument 'age'. ages must ascend"],
    ['expire: no directory', () => [['expire', '--directory', `${target}/none`, '1']], 1, () => `${target}/none does not exist`],
    ['expire: a file', () => [['expire', '--directory', '/etc/passwd', '1']], 1, () => '/etc/passwd is not a directory'],
  ];
  test.each(cases)('%s', async (_name, command, exitCode, message) => {
    const [args, options] = command();
    expect(await runCommand('s3ql', args, options)).toMatchObject(failure(exitCode, message()));
    expect(await readdir(target)).toEqual([]);
  });

  test('a mount whose process has died', async () => {
    await using crashed = await MountedFileSystem.create();
    const { mountpoint } = crashed;
    await crashed.kill();
    const died = `The process that served ${mountpoint} has died: take the mount away with umount.s3ql, then mount again`;
    expect(await backup(source, mountpoint)).toMatchObject(failure(1, died));
    expect(await runCommand('s3ql', ['expire', '--directory', mountpoint, '1'])).toMatchObject(failure(1, died));
    const out = join(fileSystem.directory, 'out');
    expect(await runCommand('s3ql', ['pcp', '-a', `${mountpoint}/`, out])).toMatchObject(failure(1, died));
    await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('all of this leaves a store without errors', async () => {
  await utimes(source, 1, 1);
  expect(await fileSystem.brokenInvariants()).toEqual([]);
});
