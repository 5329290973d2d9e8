/** A store in which the n-th request goes wrong, for every n; one that hangs, one that is full, one that lies. */
import { randomBytes } from 'node:crypto';
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { setXattr } from '../../src/util/xattr.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { LONG } from '../support/options.ts';
import { Journal } from './support/journal.ts';
import type { PlannedFault } from './support/mount-main.ts';
import { type MountProcess, TestFileSystem } from './support/mount-process.ts';

const TIMEOUT_MS = 900_000;
const MKFS_OPTIONS = ['--plain', '--data-block-size', '64', '--metadata-block-size', '16'];
const STEP = LONG ? 1 : 5;
const MAX_REQUESTS = LONG ? 150 : 25;
const FAULTS: readonly PlannedFault[] = [{ kind: 'fail' }, { kind: 'lose-reply' }, { kind: 'hang', forMs: 50 }];
/** Only answers may be damaged: a store that damages what it is given and reports success cannot be found out then. */
const ANSWER_FAULTS: readonly PlannedFault[] = [{ kind: 'truncate' }, { kind: 'corrupt' }];

async function made(mkfsOptions: readonly string[] = MKFS_OPTIONS): Promise<{ fileSystem: TestFileSystem; mounted: MountProcess }> {
  const fileSystem = await TestFileSystem.create(mkfsOptions);
  const mounted = fileSystem.start();
  for (const { exitCode, message } of [await mounted.mkfs(), await mounted.mount()]) if (exitCode !== 0) throw new Error(message);
  return { fileSystem, mounted };
}

function control(mountpoint: string, action: string): Promise<void> {
  return setXattr(join(mountpoint, '.__s3ql__ctrl__'), action, Buffer.from('dummy'));
}

test.each(FAULTS)(
  'work, uploads and unmounting survive a request that goes wrong ($kind), whichever it is',
  { timeout: TIMEOUT_MS },
  async (fault) => {
    const { fileSystem, mounted } = await made();
    await using _fileSystem = fileSystem;
    const { mountpoint, storeDirectory } = fileSystem;
    const journal = new Journal();
    const problems: string[] = [];
    let requestCount = Infinity;
    for (let request = 1; request <= Math.min(requestCount, MAX_REQUESTS); request += STEP) {
      await mounted.arm({ request: 0, when: 'before' });
      await mounted.fail(request, fault);
      await journal.work(mountpoint);
      await control(mountpoint, 's3ql_flushcache!');
      problems.push(...(await journal.broken(mountpoint)));
      const { exitCode } = await mounted.unmount();
      if (exitCode !== 0) problems.push(`request ${request}: exit ${exitCode}`);
      requestCount = await mounted.requestCount();
      problems.push(...(await brokenInvariants({ storeDirectory, allowUnknownObjects: true })));
      const again = await mounted.mount();
      if (again.exitCode !== 0) problems.push(`request ${request}: ${again.message}`);
    }
    expect(problems).toEqual([]);
    expect(requestCount).toBeGreaterThan(10);
  },
);

test.each(ANSWER_FAULTS)('an answer that is damaged on its way ($kind) is asked for again', { timeout: TIMEOUT_MS }, async (fault) => {
  const { fileSystem, mounted } = await made();
  await using _fileSystem = fileSystem;
  const journal = new Journal();
  await journal.work(fileSystem.mountpoint);
  await control(fileSystem.mountpoint, 's3ql_dropcache!');
  await mounted.fail(1, fault);
  expect(await journal.broken(fileSystem.mountpoint)).toEqual([]);
  expect(mounted.log.join('\n')).toContain('fetching it again');
  expect(await mounted.unmount()).toMatchObject({ exitCode: 0 });
});

/** What a store may give instead of what it was given, by what is done to the object's file; `other` is that of another object. */
const DAMAGES: ReadonlyArray<readonly [name: string, damage: (path: string, other: string) => Promise<void>]> = [
  ['a bit of it is another', flipBit],
  ['it is cut off', (path) => truncate(path, 1_000)],
  ['it is empty', (path) => truncate(path, 0)],
  ['it is another object', (path, other) => copyFile(other, path)],
];
const FORMATS: ReadonlyArray<readonly [name: string, mkfsOptions: readonly string[]]> = [
  ['plain', MKFS_OPTIONS],
  ['encrypted', MKFS_OPTIONS.filter((option) => option !== '--plain')],
];

test.each(FORMATS.flatMap(([format, options]) => DAMAGES.map(([name, damage]) => [format, name, options, damage] as const)))(
  'a damaged object (%s: %s) fails its file alone, until the same content is written again',
  { timeout: TIMEOUT_MS },
  async (_format, _name, mkfsOptions, damage) => {
    const { fileSystem, mounted } = await made(mkfsOptions);
    await using _fileSystem = fileSystem;
    const { mountpoint, storeDirectory } = fileSystem;
    const content = randomBytes(50_000);
    await writeFile(join(mountpoint, 'sound'), 'sound');
    await control(mountpoint, 's3ql_dropcache!');
    const [other = ''] = (await objectFiles(storeDirectory)).slice(-1);
    await writeFile(join(mountpoint, 'damaged'), content);
    await control(mountpoint, 's3ql_dropcache!');
    const [damaged = ''] = (await objectFiles(storeDirectory)).slice(-1);
    await damage(damaged, other);
    await expect(readFile(join(mountpoint, 'damaged'))).rejects.toMatchObject({ code: 'EIO' });
    expect(mounted.log.join('\n')).toMatch(new RegExp(`Object ${basename(damaged)} .*cannot be read`));
    expect(await readFile(join(mountpoint, 'sound'), 'utf8')).toBe('sound');
    await writeFile(join(mountpoint, 'copy'), content);
    await control(mountpoint, 's3ql_flushcache!');
    expect(mounted.log.join('\n')).toContain('has been stored again');
    await control(mountpoint, 's3ql_dropcache!');
    expect((await readFile(join(mountpoint, 'damaged'))).equals(content)).toBe(true);
    expect(await mounted.unmount()).toMatchObject({ exitCode: 0 });
    const { passphrase } = fileSystem;
    expect(await brokenInvariants({ storeDirectory, ...(passphrase === undefined ? {} : { passphrase }) })).toEqual([]);
  },
);

test('a read that the store does not answer fails in time', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  await using mounted = fileSystem.start();
  await mounted.mkfs();
  await mounted.mount({ argv: ['--read-timeout', '1'] });
  await writeFile(join(fileSystem.mountpoint, 'file'), 'content');
  await control(fileSystem.mountpoint, 's3ql_dropcache!');
  await mounted.fail(1, { kind: 'hang', forMs: 5_000 });
  await expect(readFile(join(fileSystem.mountpoint, 'file'))).rejects.toMatchObject({ code: 'EIO' });
  expect(await stat(join(fileSystem.mountpoint, 'file'))).toMatchObject({ size: 7 });
  expect(await mounted.unmount()).toMatchObject({ exitCode: 0 });
});

test(
  'a full store delays nothing that fits the cache; unmounting says what is kept, and the next mount stores it',
  { timeout: TIMEOUT_MS },
  async () => {
    const { fileSystem, mounted } = await made();
    await using _fileSystem = fileSystem;
    const journal = new Journal();
    await mounted.fail(1, { kind: 'no-space' }, 1_000_000);
    await journal.work(fileSystem.mountpoint);
    expect(await mounted.unmount()).toMatchObject({ exitCode: 1 });
    expect(mounted.log.join('\n')).toContain('Not everything could be stored. It is kept on this machine');
    await mounted.kill();
    await using next = fileSystem.start();
    expect(await next.mount()).toMatchObject({ exitCode: 0 });
    expect(await journal.broken(fileSystem.mountpoint)).toEqual([]);
    expect(await next.unmount()).toMatchObject({ exitCode: 0 });
    expect(await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, allowUnknownObjects: true })).toEqual([]);
  },
);

/** Files of data objects, oldest first. */
async function objectFiles(storeDirectory: string): Promise<string[]> {
  const entries = await readdir(storeDirectory, { recursive: true });
  const files = entries.filter((name) => /s3ql_data_\d+$/.test(name)).map((name) => join(storeDirectory, name));
  const dated = await Promise.all(files.map(async (path) => ({ path, mtimeMs: (await stat(path)).mtimeMs })));
  return dated.toSorted((a, b) => a.mtimeMs - b.mtimeMs).map(({ path }) => path);
}

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  const last = bytes.length - 10;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
