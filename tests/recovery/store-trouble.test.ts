/** A mount whose store does not work for a time: what its users and s3qlstat see, and that it recovers by itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ControlFile, type MountState } from '../../src/cli/control-file.ts';
import { setXattr } from '../../src/util/xattr.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { runCommand } from '../support/mounted-file-system.ts';
import type { PlannedFault } from './support/mount-main.ts';
import { type MountProcess, TestFileSystem } from './support/mount-process.ts';

const TIMEOUT_MS = 300_000;
const FOR_EVER = 1_000_000_000;
const MKFS_OPTIONS = ['--plain', '--data-block-size', '64', '--metadata-block-size', '16'];
const SMALL_CACHE = ['--cachesize', '512', '--dirty-block-upload-delay', '0'];

interface Mounted extends AsyncDisposable {
  readonly fileSystem: TestFileSystem;
  readonly mounted: MountProcess;
  readonly mountpoint: string;
}

async function mountedWith(argv: readonly string[] = []): Promise<Mounted> {
  const fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const mounted = fileSystem.start();
  for (const { exitCode, message } of [await mounted.mkfs(), await mounted.mount({ argv })]) if (exitCode !== 0) throw new Error(message);
  return { fileSystem, mounted, mountpoint: fileSystem.mountpoint, [Symbol.asyncDispose]: () => fileSystem[Symbol.asyncDispose]() };
}

/** All requests go wrong from now on, until `works`. */
async function breakDown(mounted: MountProcess, fault: PlannedFault): Promise<void> {
  await mounted.fail(1, fault, FOR_EVER);
}

async function works(mounted: MountProcess): Promise<void> {
  await mounted.fail(FOR_EVER, { kind: 'fail' });
}

function control(mountpoint: string, action: string): Promise<void> {
  return setXattr(join(mountpoint, '.__s3ql__ctrl__'), action, Buffer.from('dummy'));
}

async function stateOf(mountpoint: string): Promise<MountState | undefined> {
  return (await ControlFile.find(mountpoint)).state();
}

async function requireCleanEnd({ fileSystem, mounted }: Mounted): Promise<void> {
  expect(await mounted.unmount()).toMatchObject({ exitCode: 0 });
  expect(await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, allowUnknownObjects: true })).toEqual([]);
}

test(
  'revoked credentials make the mount read-only, which s3qlstat says; when they are good again it recovers by itself',
  { timeout: TIMEOUT_MS },
  async () => {
    await using set = await mountedWith(['--dirty-block-upload-delay', '0']);
    const { mounted, mountpoint } = set;
    expect(await stateOf(mountpoint)).toMatchObject({ store: { answers: true }, generation: { changesSince: expect.any(Number) } });
    await breakDown(mounted, { kind: 'revoked' });
    const readOnly = mounted.logged('read-only until it does');
    await writeFile(join(mountpoint, 'dirty'), 'written before');
    await readOnly;
    await expect(writeFile(join(mountpoint, 'more'), 'x')).rejects.toMatchObject({ code: 'EROFS' });
    expect(await readFile(join(mountpoint, 'dirty'), 'utf8')).toBe('written before');
    const state = await stateOf(mountpoint);
    expect(state).toMatchObject({
      store: { answers: false, failingSinceMs: expect.any(Number), lastError: { message: 'the credentials have been revoked' } },
      readOnlyBecause: expect.stringContaining('revoked'),
      uploadFailure: expect.stringContaining('revoked'),
    });
    const writable = mounted.logged('not read-only any more');
    await works(mounted);
    await writable;
    await writeFile(join(mountpoint, 'more'), 'x');
    await control(mountpoint, 's3ql_dropcache!');
    expect(await readFile(join(mountpoint, 'dirty'), 'utf8')).toBe('written before');
    const after = await stateOf(mountpoint);
    expect(after?.store.answers).toBe(true);
    expect(after?.readOnlyBecause).toBeUndefined();
    await requireCleanEnd(set);
  },
);

test(
  'a store that has not answered for as long as --store-timeout says makes the mount read-only, until it answers again',
  { timeout: TIMEOUT_MS },
  async () => {
    await using set = await mountedWith(['--dirty-block-upload-delay', '0', '--store-timeout', '2']);
    const { mounted, mountpoint } = set;
    await breakDown(mounted, { kind: 'fail' });
    const readOnly = mounted.logged('read-only until it does');
    await writeFile(join(mountpoint, 'dirty'), 'written before', { flush: true });
    await readOnly;
    await expect(writeFile(join(mountpoint, 'more'), 'x')).rejects.toMatchObject({ code: 'EROFS' });
    expect(await readFile(join(mountpoint, 'dirty'), 'utf8')).toBe('written before');
    const shown = await runCommand('s3qlstat', [mountpoint]);
    expect([shown.exitCode, shown.stdout]).toEqual([0, expect.stringMatching(/read-only.*gave up after 2 seconds/is)]);
    const writable = mounted.logged('not read-only any more');
    await works(mounted);
    await writable;
    await writeFile(join(mountpoint, 'more'), 'x');
    expect((await runCommand('s3qlstat', [mountpoint])).stdout).not.toMatch(/read-only/i);
    await requireCleanEnd(set);
  },
);

test(
  'with --full-cache=fail a writer gets ENOSPC when the cache is full and the store down, and can write when it is back',
  { timeout: TIMEOUT_MS },
  async () => {
    await using set = await mountedWith([...SMALL_CACHE, '--full-cache', 'fail']);
    const { mounted, mountpoint } = set;
    await breakDown(mounted, { kind: 'fail' });
    const content = Buffer.alloc(2_000_000, 'abc');
    for (let at = 0; at < content.length; at += 65_536) content.writeUInt32LE(at, at);
    await expect(writeFile(join(mountpoint, 'large'), content)).rejects.toMatchObject({ code: 'ENOSPC' });
    const back = mounted.logged('The store answers again');
    await works(mounted);
    await back;
    await writeFile(join(mountpoint, 'large'), content);
    expect((await readFile(join(mountpoint, 'large'))).equals(content)).toBe(true);
    await requireCleanEnd(set);
  },
);

test('who waits for room in the cache while the store is down can be killed, and what fits goes on', { timeout: TIMEOUT_MS }, async () => {
  await using set = await mountedWith(SMALL_CACHE);
  const { mounted, mountpoint } = set;
  await breakDown(mounted, { kind: 'fail' });
  const down = mounted.logged('The store does not work');
  const writer = spawn('dd', ['if=/dev/urandom', `of=${join(mountpoint, 'large')}`, 'bs=64k', 'count=32', 'status=none']);
  const ended = once(writer, 'exit');
  await down;
  expect(writer.exitCode).toBeNull();
  writer.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  const back = mounted.logged('The store answers again');
  await works(mounted);
  await back;
  await writeFile(join(mountpoint, 'small'), 'fits');
  await requireCleanEnd(set);
});

test.for(['SIGINT', 'SIGKILL'] as const)('%s ends a read that the store does not answer', { timeout: TIMEOUT_MS }, async (signal) => {
  await using set = await mountedWith();
  const { mounted, mountpoint } = set;
  await writeFile(join(mountpoint, 'file'), 'content');
  await control(mountpoint, 's3ql_dropcache!');
  await mounted.arm({ request: 0, when: 'before' });
  await mounted.fail(1, { kind: 'hang', forMs: 8_000 }, FOR_EVER);
  const reader = spawn('cat', [join(mountpoint, 'file')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  reader.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const ended = once(reader, 'exit');
  while ((await mounted.requestCount()) === 0 && reader.exitCode === null);
  reader.kill(signal);
  expect(await ended).toEqual([null, signal]);
  expect(Buffer.concat(output).toString()).toBe('');
  await works(mounted);
  expect(await readFile(join(mountpoint, 'file'), 'utf8')).toBe('content');
  await requireCleanEnd(set);
});

test('recovery lists nothing, costs what was dirty, and says in one line what it was', { timeout: TIMEOUT_MS }, async () => {
  await using set = await mountedWith();
  const { fileSystem, mounted, mountpoint } = set;
  const names = Array.from({ length: 100 }, (_, index) => `file-${index}`);
  for (const name of names) await writeFile(join(mountpoint, name), `content of ${name}`);
  await control(mountpoint, 's3ql_flushcache!');
  for (const name of names.slice(0, 3)) await writeFile(join(mountpoint, name), `changed ${name}`, { flush: true });
  await mounted.kill();
  await fileSystem.clearMounts();
  await using next = fileSystem.start();
  const before = next.log.length;
  const { exitCode, listCount, requestCount } = await next.mount();
  expect([exitCode, listCount]).toEqual([0, 0]);
  // The superblock and the lease, read and written: nothing that grows with the file system.
  expect(requestCount).toBeLessThan(25);
  const lines = next.log.slice(before).filter((line) => line.includes('ecover'));
  expect(lines).toEqual([expect.stringMatching(/^info: Recovered .*3 blocks/)]);
  expect(await readFile(join(mountpoint, 'file-2'), 'utf8')).toBe('changed file-2');
  await requireCleanEnd({ ...set, mounted: next });
});
