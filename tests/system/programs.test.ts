/** What people do with a file system, with the programs they do it with. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { installDebianPackages } from '../support/debian-packages.ts';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';
import { describeTree, makeTree } from '../support/tree.ts';

const TREE_FILES = 20_000;
const SMALL_TREE_FILES = 1_000;
const SQLITE_TRANSACTIONS = 10_000;
const MINUTE_MS = 60_000;

let scratch: string;
let system: MountedFileSystem;

beforeAll(async () => {
  installDebianPackages('rsync', 'git', 'attr', 'acl');
  scratch = await mkdtemp(join(tmpdir(), 's3ql-programs-'));
}, 10 * MINUTE_MS);

afterAll(() => rm(scratch, { recursive: true, force: true }));

beforeEach(async () => {
  system = await MountedFileSystem.create({ passphrase: 'a passphrase with spaces' });
});

afterEach(async () => {
  await system[Symbol.asyncDispose]();
});

async function expectNothingBroken(): Promise<void> {
  expect(await system.brokenInvariants()).toEqual([]);
}

test(
  'a tree of 20,000 files copied in is the same after a mount without the local cache, and the store shows nothing of it',
  async () => {
    const source = join(scratch, 'tree');
    await makeTree(source, TREE_FILES);
    const marker = 'The quick brown fox, in plain text';
    await writeFile(join(source, 'marker-name.txt'), marker.repeat(100));
    await mustRun('cp', ['-a', source, join(system.mountpoint, 'tree')], { timeoutMs: 5 * MINUTE_MS });
    await system.unmount();
    await expectNoPlaintext([marker, 'marker-name', 'ünter-', 'of a file', 'lost+found']);
    await system.removeCache();
    await system.mount();
    await mustRun('diff', ['-r', '--no-dereference', source, join(system.mountpoint, 'tree')], { timeoutMs: 10 * MINUTE_MS });
    expect(await describeTree(join(system.mountpoint, 'tree'))).toEqual(await describeTree(source));
    await expectNothingBroken();
  },
  20 * MINUTE_MS,
);

async function expectNoPlaintext(words: readonly string[]): Promise<void> {
  const found: string[] = [];
  for (const entry of await readdir(system.storeDirectory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const word of words) if (bytes.includes(word) || entry.name.includes(word)) found.push(`${word} in ${entry.name}`);
  }
  expect(found).toEqual([]);
}

test(
  'rsync -aHAX copies everything the first time and nothing the second',
  async () => {
    const source = join(scratch, 'rsync');
    await makeTree(source, SMALL_TREE_FILES);
    await mustRun('setfattr', ['-n', 'user.colour', '-v', 'blue', join(source, 'directory 0')]);
    await mustRun('setfacl', ['-m', 'u:1234:rwx,d:g:4321:r', join(source, 'directory 0')]);
    const rsync = (...more: string[]): Promise<{ stdout: string }> =>
      mustRun('rsync', ['-aHAX', '--numeric-ids', '--stats', ...more, `${source}/`, join(system.mountpoint, 'copy/')]);
    expect((await rsync()).stdout).toMatch(/Number of regular files transferred: 1,000\n/);
    await system.remount();
    const again = await rsync('--itemize-changes');
    expect(again.stdout).toMatch(/Number of regular files transferred: 0\n/);
    expect(again.stdout).toMatch(/^\nNumber of files/);
    /** A paragraph for each path, in the order of directory entries. */
    const acls = async (path: string): Promise<string[]> =>
      (await mustRun('getfacl', ['-R', '.'], { cwd: path })).stdout.split('\n\n').sort();
    expect(await acls(join(system.mountpoint, 'copy'))).toEqual(await acls(source));
    await expectNothingBroken();
  },
  5 * MINUTE_MS,
);

test(
  'a tar unpacked in the mount and packed again is the same to the byte',
  async () => {
    const source = join(scratch, 'tar');
    await makeTree(source, SMALL_TREE_FILES);
    const pack = async (directory: string, archive: string): Promise<Buffer> => {
      await mustRun('tar', ['--sort=name', '-cf', archive, '-C', directory, '.']);
      return readFile(archive);
    };
    const original = await pack(source, join(scratch, 'original.tar'));
    const target = join(system.mountpoint, 'unpacked');
    await mkdir(target);
    await mustRun('tar', ['-xpf', join(scratch, 'original.tar'), '-C', target]);
    await system.remount();
    expect((await pack(target, join(scratch, 'again.tar'))).equals(original)).toBe(true);
    await expectNothingBroken();
  },
  5 * MINUTE_MS,
);

test(
  'a git repository made and cloned inside the mount is whole',
  async () => {
    const git = (...args: string[]): Promise<{ stderr: string }> =>
      mustRun('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'init.defaultBranch=main', ...args], { cwd: system.mountpoint });
    await git('init', 'original');
    for (let commit = 0; commit < 10; commit += 1) {
      await writeFile(join(system.mountpoint, 'original', `file-${commit}`), randomBytes(20_000));
      await git('-C', 'original', 'add', '.');
      await git('-C', 'original', 'commit', '-m', `commit ${commit}`);
    }
    await git('clone', '--no-local', 'original', 'clone');
    await git('-C', 'clone', 'gc');
    await system.remount();
    for (const repository of ['original', 'clone']) {
      expect((await git('-C', repository, 'fsck', '--full', '--strict')).stderr).not.toMatch(/error|missing|corrupt/);
    }
    await expectNothingBroken();
  },
  5 * MINUTE_MS,
);

test(
  'an SQLite database in the mount is intact after 10,000 transactions and a mount without the local cache',
  async () => {
    const path = join(system.mountpoint, 'test.sqlite');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)');
    const insert = database.prepare('INSERT INTO t (v) VALUES (randomblob(200))');
    const update = database.prepare('UPDATE t SET v = randomblob(300) WHERE id = ?');
    for (let transaction = 0; transaction < SQLITE_TRANSACTIONS; transaction += 1) {
      database.exec('BEGIN');
      insert.run();
      update.run(transaction / 2);
      database.exec('COMMIT');
    }
    database.close();
    await system.unmount();
    await system.removeCache();
    await system.mount();
    const again = new DatabaseSync(path, { readOnly: true });
    expect(again.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
    expect(again.prepare('SELECT count(*) AS n FROM t').get()).toMatchObject({ n: SQLITE_TRANSACTIONS });
    again.close();
    await expectNothingBroken();
  },
  10 * MINUTE_MS,
);
