/** Several machines and one store: one of them writes, takes over, or finds out that it has lost the file system. */
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setXattr } from '../../src/util/xattr.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { LONG } from '../support/options.ts';
import { S3Server } from '../support/servers/s3-server.ts';
import { Journal } from './support/journal.ts';
import { Died, type RemoteStore, TestFileSystem } from './support/mount-process.ts';
import { authinfoOf, copyToDirectory } from './support/s3-to-directory.ts';

const TIMEOUT_MS = 900_000;
const LONG_TIMEOUT_MS = LONG ? 3_600_000 : TIMEOUT_MS;
const LONG_RACES = 200;
const MKFS_OPTIONS = ['--plain', '--data-block-size', '64', '--metadata-block-size', '16'];
const EXIT_MOUNTED_ELSEWHERE = 31;

async function made(remote?: RemoteStore): Promise<TestFileSystem> {
  const fileSystem = await TestFileSystem.create(MKFS_OPTIONS, remote);
  await using maker = fileSystem.start('elsewhere');
  const { exitCode, message } = await maker.mkfs();
  if (exitCode !== 0) throw new Error(message);
  return fileSystem;
}

async function mountpointOf(fileSystem: TestFileSystem, host: string): Promise<string> {
  const path = join(fileSystem.directory, `mnt-${host}`);
  await mkdir(path, { recursive: true });
  return path;
}

function control(mountpoint: string, action: string): Promise<void> {
  return setXattr(join(mountpoint, '.__s3ql__ctrl__'), action, Buffer.from('dummy'));
}

/** Stores that decide races in different ways, and how many there are in the short form: without conditional requests each takes seconds. */
const STORES: ReadonlyArray<
  readonly [name: string, races: number, lacks: 'conditional-put' | undefined] | readonly [name: string, races: number]
> = [
  ['a local store', 15],
  ['an S3 store', 10, undefined],
  ['an S3 store without conditional requests', 4, 'conditional-put'],
];

test.each(STORES)('of two machines that mount %s at once exactly one succeeds', { timeout: LONG_TIMEOUT_MS }, async (...row) => {
  await using resources = new AsyncDisposableStack();
  const races = LONG ? LONG_RACES : row[1];
  const server = row.length === 2 ? undefined : resources.use(await S3Server.start({ lacks: row[2] === undefined ? [] : [row[2]] }));
  const url = `s3c4://${server?.host}/bucket/`;
  const fileSystem = resources.use(await made(server && { url, authinfo: authinfoOf(url), backendOptions: 'no-ssl' }));
  const hosts = await Promise.all(
    ['a', 'b'].map(async (host) => ({ machine: fileSystem.start(host), mountpoint: await mountpointOf(fileSystem, host) })),
  );
  const outcomes: number[][] = [];
  for (let race = 0; race < races; race++) {
    const results = await Promise.all(hosts.map(({ machine, mountpoint }) => machine.mount({ mountpoint })));
    outcomes.push(results.map(({ exitCode }) => exitCode).toSorted((a, b) => a - b));
    const winner = hosts[results.findIndex(({ exitCode }) => exitCode === 0)];
    if (winner === undefined) break;
    await writeFile(join(winner.mountpoint, `race-${race}`), 'won');
    await winner.machine.unmount();
  }
  expect(outcomes).toEqual(Array.from({ length: races }, () => [0, EXIT_MOUNTED_ELSEWHERE]));
  await using last = fileSystem.start('c');
  await last.mount();
  expect((await readdir(fileSystem.mountpoint)).filter((name) => name.startsWith('race-'))).toHaveLength(races);
  expect(await last.unmount()).toMatchObject({ exitCode: 0 });
  const { storeDirectory } = fileSystem;
  if (server !== undefined) await copyToDirectory(server, url, storeDirectory);
  expect(await brokenInvariants({ storeDirectory, otherSizes: server !== undefined })).toEqual([]);
});

test('a file system that was being mounted when the machine died is free again after a while', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await made();
  await using dying = fileSystem.start('a');
  // The lease is in the store, the superblock not yet.
  const died = dying.mount({ death: { request: 9, when: 'before' } });
  await expect(died).rejects.toBeInstanceOf(Died);
  await using next = fileSystem.start('b');
  expect(await next.mount()).toMatchObject({ exitCode: 0 });
  expect(next.log.join('\n')).toContain('looking whether that is still alive');
  expect(await next.unmount()).toMatchObject({ exitCode: 0 });
});

test('what is mounted elsewhere is refused, and taken over on request', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await made();
  const journal = new Journal();
  const [first, second] = [await mountpointOf(fileSystem, 'a'), await mountpointOf(fileSystem, 'b')];
  await using lost = fileSystem.start('a');
  expect(await lost.mount({ mountpoint: first })).toMatchObject({ exitCode: 0 });
  await journal.work(first);
  await Promise.all([lost.logged('Metadata uploaded'), control(first, 'upload-meta')]);
  // In the store, but in no generation.
  await writeFile(join(first, 'later'), 'never uploaded');
  await control(first, 's3ql_flushcache!');

  await using taking = fileSystem.start('b');
  expect(await taking.mount({ mountpoint: second })).toMatchObject({ exitCode: EXIT_MOUNTED_ELSEWHERE });
  expect(await taking.mount({ mountpoint: second, argv: ['--take-over'] })).toMatchObject({ exitCode: 0 });
  expect(taking.log.join('\n')).toContain('Taking the file system over');
  expect(await journal.broken(second)).toEqual([]);
  expect(await readdir(second)).not.toContain('later');
  await journal.work(second);

  // The other machine finds out when it wants to publish, stops writing and keeps what it has.
  await Promise.all([lost.logged('read-only now'), control(first, 'upload-meta')]);
  await expect(writeFile(join(first, 'too-late'), '')).rejects.toMatchObject({ code: 'EROFS' });
  expect(await readFile(join(first, 'later'), 'utf8')).toBe('never uploaded');
  expect(await lost.unmount()).toMatchObject({ exitCode: 1 });

  expect(await taking.unmount()).toMatchObject({ exitCode: 0 });
  expect(await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, allowUnknownObjects: true })).toEqual([]);
  expect(await lost.mount({ mountpoint: first })).toMatchObject({ exitCode: 0 });
  expect(lost.log.join('\n')).toContain('is kept in');
  expect(await journal.broken(first)).toEqual([]);
  expect(await lost.unmount()).toMatchObject({ exitCode: 0 });
});

test('with --fsync=remote another machine can take over what was synced', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await made();
  const [first, second] = [await mountpointOf(fileSystem, 'a'), await mountpointOf(fileSystem, 'b')];
  await using lost = fileSystem.start('a');
  expect(await lost.mount({ mountpoint: first, argv: ['--fsync', 'remote'] })).toMatchObject({ exitCode: 0 });
  const names = ['one', 'two', 'three', 'four'];
  await Promise.all(
    names.map(async (name) => {
      await using file = await open(join(first, name), 'w');
      await file.write(`content of ${name}`);
      await file.sync();
    }),
  );
  await lost.kill();
  await using taking = fileSystem.start('b');
  expect(await taking.mount({ mountpoint: second, argv: ['--take-over'] })).toMatchObject({ exitCode: 0 });
  const contents = await Promise.all(names.map((name) => readFile(join(second, name), 'utf8')));
  expect(contents).toEqual(names.map((name) => `content of ${name}`));
  expect(await taking.unmount()).toMatchObject({ exitCode: 0 });
});
