/** `s3ql pcp` out of a mount, with the real rsync. */
import { chmod, link, lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setXattr } from '../../src/util/xattr.ts';
import { installDebianPackages } from '../support/debian-packages.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { mustRun, type ProgramOptions, type ProgramResult } from '../support/run-program.ts';
import { STRANGER } from '../support/users.ts';

const FILES_PER_DIRECTORY = 30;

let fileSystem: MountedFileSystem;
let tree: string;
let target: string;
beforeAll(async () => {
  installDebianPackages('rsync');
  fileSystem = await MountedFileSystem.create();
  tree = join(fileSystem.mountpoint, 'tree');
  target = join(fileSystem.directory, 'target');
  for (const name of ['one', 'two/deep', 'odd \n "name"']) {
    const directory = join(tree, name);
    await mkdir(directory, { recursive: true });
    for (let index = 0; index < FILES_PER_DIRECTORY; index += 1) {
      await writeFile(join(directory, `file ${index}`), Buffer.alloc(index * 1000, `${name} ${index}`));
      await utimes(join(directory, `file ${index}`), 1, 1_500_000_000 + index);
    }
  }
  for (let index = 0; index < FILES_PER_DIRECTORY; index += 1) {
    await link(join(tree, 'one', `file ${index}`), join(tree, 'two', `link ${index}`));
    await link(join(tree, 'one', `file ${index}`), join(tree, 'two/deep', `link ${index}`));
  }
  await symlink('one/file 1', join(tree, 'symlink'));
  await mkdir(join(tree, 'empty'));
  await setXattr(join(tree, 'one', 'file 1'), 'user.colour', Buffer.from('blue'));
  await chmod(join(tree, 'two/deep'), 0o500);
  await utimes(join(tree, 'two'), 1, 1_400_000_000);
});
afterAll(async () => {
  await fileSystem[Symbol.asyncDispose]();
});

const pcp = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  runCommand('s3ql', ['pcp', '--quiet', ...args], options);

/** Everything below, as find(1) sees it: path, mode, links, time. */
async function listing(directory: string): Promise<string[]> {
  const { stdout } = await mustRun('find', ['.', '-printf', String.raw`%P %m %n %T@\0`], { cwd: directory });
  return stdout.split('\0').sort();
}

test.each([1, 2, 7])('%i processes copy a tree with hard links, modes, times and attributes', async (processes) => {
  await rm(target, { recursive: true, force: true });
  const { exitCode, stdout, stderr } = await pcp(['-a', '--json', '--processes', String(processes), `${tree}/`, target]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ fileCount: 5 * FILES_PER_DIRECTORY + 1 });
  await mustRun('diff', ['-r', '--no-dereference', tree, target]);
  expect(await listing(target)).toEqual(await listing(tree));
  const inodes = await Promise.all(['one/file 3', 'two/link 3', 'two/deep/link 3'].map((name) => lstat(join(target, name))));
  expect(new Set(inodes.map(({ ino }) => ino)).size).toBe(1);
  const { stdout: colour } = await mustRun('getfattr', [
    '--absolute-names',
    '--only-values',
    '-n',
    'user.colour',
    join(target, 'one/file 1'),
  ]);
  expect(colour).toBe('blue');
});

test('several sources, files too, go into the target under their names, and a second run changes nothing', async () => {
  const out = join(fileSystem.directory, 'several');
  const args = ['-a', join(tree, 'one'), join(tree, 'two/deep/file 2'), out];
  expect(await pcp(args)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  expect((await readdir(out)).sort()).toEqual(['file 2', 'one']);
  const before = await listing(out);
  expect(await pcp(args)).toMatchObject({ exitCode: 0 });
  expect(await listing(out)).toEqual(before);
});

test('without --archive only contents are copied', async () => {
  const out = join(fileSystem.directory, 'plain');
  expect(await pcp([join(tree, 'one'), out])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readFile(join(out, 'one', 'file 9'))).toEqual(await readFile(join(tree, 'one', 'file 9')));
  expect((await lstat(join(out, 'one', 'file 9'))).mtimeMs).toBeGreaterThan(1_600_000_000_000);
});

test('if a part cannot be read the others are copied, and the exit code tells', async () => {
  const source = join(fileSystem.mountpoint, 'partly');
  await mkdir(join(source, 'closed'), { recursive: true });
  await mkdir(join(source, 'open'));
  await writeFile(join(source, 'open', 'readable'), 'x');
  await writeFile(join(source, 'open', 'secret'), 'x');
  await chmod(join(source, 'open', 'secret'), 0);
  await chmod(join(source, 'closed'), 0);
  const out = join(fileSystem.directory, 'partly');
  await mkdir(out);
  await chmod(out, 0o777);
  const { exitCode, stderr } = await pcp([`${source}/`, out], { uid: STRANGER.uid, gid: STRANGER.gid });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('error: Not everything could be copied:');
  expect(stderr).toContain('secret');
  expect(stderr).toContain('/closed cannot be accessed: permission denied');
  expect(await readdir(join(out, 'open'))).toEqual(['readable']);
});

test.each([
  ['no target', ['/tmp'], 2, 'A source and a target are needed'],
  ['no arguments', [], 2, "Missing required argument 'path'"],
  ['no such source', ['/none', '/tmp'], 1, '/none does not exist'],
  [
    'too many processes',
    ['--processes', '0', '/tmp', '/tmp'],
    2,
    "Option '--processes <n>' argument '0' is invalid. expected a whole number from 1 to 100",
  ],
] as const)('%s is refused with one line', async (_name, args, exitCode, message) => {
  expect(await pcp(args)).toMatchObject({ exitCode, stdout: '', stderr: `error: ${message}\n` });
});
