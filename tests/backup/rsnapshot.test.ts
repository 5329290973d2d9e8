/** rsnapshot, and rsync with --link-dest, keep their generations in a mount: the real programs. */
import { appendFile, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installDebianPackages } from '../support/debian-packages.ts';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';

let fileSystem: MountedFileSystem;
beforeAll(async () => {
  installDebianPackages('rsync', 'rsnapshot');
  fileSystem = await MountedFileSystem.create();
});
afterAll(async () => {
  await fileSystem[Symbol.asyncDispose]();
});

async function makeSource(name: string): Promise<string> {
  const source = join(fileSystem.directory, name);
  await mkdir(join(source, 'sub'), { recursive: true });
  await writeFile(join(source, 'constant'), Buffer.alloc(300_000, 'constant'));
  await link(join(source, 'constant'), join(source, 'sub', 'linked'));
  await symlink('constant', join(source, 'symlink'));
  await writeFile(join(source, 'generation'), '0');
  return source;
}

/** The next generation: one file changes, one comes, one goes. */
async function change(source: string, generation: number): Promise<void> {
  await writeFile(join(source, 'generation'), `${generation}`.padStart(generation + 1, '.'));
  await writeFile(join(source, `new-${generation}`), `${generation}`);
  await rm(join(source, `new-${generation - 2}`), { force: true });
}

const inode = async (...path: readonly string[]): Promise<number> => (await stat(join(...path))).ino;

test('rsnapshot rotates its snapshots: each has its content, and what did not change is one file in all', async () => {
  const source = await makeSource('snapshot-source');
  const root = join(fileSystem.mountpoint, 'snapshots');
  const copies = join(fileSystem.directory, 'copies');
  await mkdir(copies);
  const configuration = join(fileSystem.directory, 'rsnapshot.conf');
  const settings = [
    ['config_version', '1.2'],
    ['snapshot_root', `${root}/`],
    ['cmd_cp', '/bin/cp'],
    ['cmd_rm', '/bin/rm'],
    ['cmd_rsync', '/usr/bin/rsync'],
    ['rsync_long_args', '--delete --numeric-ids --relative --delete-excluded --hard-links'],
    ['retain', 'alpha', '3'],
    ['retain', 'beta', '2'],
    ['lockfile', join(fileSystem.directory, 'rsnapshot.pid')],
    ['logfile', join(fileSystem.directory, 'rsnapshot.log')],
    ['backup', `${source}/`, 'host/'],
  ];
  await writeFile(configuration, settings.map((setting) => `${setting.join('\t')}\n`).join(''));
  await mustRun('rsnapshot', ['-c', configuration, 'configtest']);
  const rotate = async (interval: string): Promise<void> => void (await mustRun('rsnapshot', ['-c', configuration, interval]));
  const snapshot = (name: string): string => join(root, name, 'host', source);

  for (let generation = 1; generation <= 5; generation += 1) {
    await change(source, generation);
    await mustRun('cp', ['-a', source, join(copies, `${generation}`)]);
    await rotate('alpha');
    if (generation === 4) await rotate('beta');
  }
  expect((await readdir(root)).sort()).toEqual(['alpha.0', 'alpha.1', 'alpha.2', 'beta.0']);
  const generations = { 'alpha.0': 5, 'alpha.1': 4, 'alpha.2': 3, 'beta.0': 2 };
  for (const [name, generation] of Object.entries(generations)) {
    await mustRun('diff', ['-r', '--no-dereference', join(copies, `${generation}`), snapshot(name)]);
    expect(await inode(snapshot(name), 'constant')).toBe(await inode(snapshot('alpha.0'), 'constant'));
    expect(await inode(snapshot(name), 'sub', 'linked')).toBe(await inode(snapshot(name), 'constant'));
  }
  expect((await stat(join(snapshot('alpha.0'), 'constant'))).nlink).toBe(8);
  const changed = await Promise.all(Object.keys(generations).map((name) => inode(snapshot(name), 'generation')));
  expect(new Set(changed).size).toBe(4);
  // alpha.1 and alpha.0 share what came with generation 4; generation 3's is only in alpha.2 and alpha.1.
  expect(await inode(snapshot('alpha.1'), 'new-4')).toBe(await inode(snapshot('alpha.0'), 'new-4'));

  await fileSystem.remount();
  await mustRun('diff', ['-r', '--no-dereference', join(copies, '3'), snapshot('alpha.2')]);
  expect((await stat(join(snapshot('beta.0'), 'sub', 'linked'))).nlink).toBe(8);
});

test('rsync keeps generations by --link-dest, and --inplace changes none but its own', async () => {
  const source = await makeSource('rsync-source');
  const generations = join(fileSystem.mountpoint, 'generations');
  await mkdir(generations);
  await mustRun('rsync', ['-aHAX', `${source}/`, join(generations, '0')]);
  for (let generation = 1; generation <= 3; generation += 1) {
    await change(source, generation);
    await mustRun('rsync', ['-aHAX', '--delete', `--link-dest=../${generation - 1}`, `${source}/`, join(generations, `${generation}`)]);
  }
  await mustRun('diff', ['-r', '--no-dereference', source, join(generations, '3')]);
  expect(await readFile(join(generations, '1', 'generation'), 'utf8')).toBe('.1');
  expect((await stat(join(generations, '3', 'constant'))).nlink).toBe(8);

  const copy = join(fileSystem.mountpoint, 'copy');
  await mustRun('cp', ['-a', '--reflink=auto', join(generations, '3'), copy]);
  await appendFile(join(source, 'constant'), 'more');
  await mustRun('rsync', ['-aH', '--inplace', '--delete', `${source}/`, copy]);
  await mustRun('diff', ['-r', '--no-dereference', source, copy]);
  expect((await stat(join(generations, '3', 'constant'))).size).toBe(300_000);
});

test('all of this leaves a store without errors', async () => {
  expect(await fileSystem.brokenInvariants()).toEqual([]);
});
