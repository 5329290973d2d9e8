/** Stores in a state that a mount must refuse, or must live with: one clear line, the documented exit code, nothing changed; never wrong bytes. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/backends/connect.ts';
import { backendSpec } from '../../src/backends/open-backend.ts';
import { plainEnvelope } from '../../src/envelope/envelope.ts';
import { fetchSuperblock } from '../../src/metadata/generations.ts';
import { SUPERBLOCK_KEY } from '../../src/metadata/object-keys.ts';
import { type Superblock, writeSuperblock } from '../../src/metadata/superblock.ts';
import { SealedObjectStore } from '../../src/objects/sealed-object-store.ts';
import { MountedFileSystem } from '../support/mounted-file-system.ts';

let system: MountedFileSystem;

beforeEach(async () => {
  system = await MountedFileSystem.create();
});

afterEach(async () => {
  await system[Symbol.asyncDispose]();
});

/** Every object of the store with the digest of its file. */
async function storeContents(): Promise<string[]> {
  const lines: string[] = [];
  for (const entry of await readdir(system.storeDirectory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    lines.push(
      `${path} ${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`,
    );
  }
  return lines.sort();
}

/** What comes of an attempt to mount: exit code, lines that report errors, and whether the store is as before. */
async function attempt(): Promise<{ exitCode: number | null; errors: string[]; storeChanged: boolean }> {
  const before = await storeContents();
  const { exitCode, stdout, stderr } = await system.tryToMount();
  // Besides the error there may be a line on what is being done, but no stack.
  const errors = `${stdout}${stderr}`.split('\n').filter((line) => /^error: |^ {2,}at /.test(line));
  return { exitCode, errors, storeChanged: !isDeepStrictEqual(await storeContents(), before) };
}

function refusal(exitCode: number, line: RegExp): unknown {
  return { exitCode, errors: [expect.stringMatching(line)], storeChanged: false };
}

/** Changes the store's superblock as another program might. */
async function changeSuperblock(changes: Partial<Superblock>): Promise<void> {
  const backend = await connect(backendSpec({ url: system.storageUrl }));
  await using objects = new SealedObjectStore({ backend, envelope: plainEnvelope(), maxThreads: 1 });
  const superblock = await fetchSuperblock(objects);
  await objects.put(SUPERBLOCK_KEY, writeSuperblock({ ...superblock, ...changes }), { compression: { algorithm: 'none', level: 0 } });
}

/** Flips a bit of an object's checksum or data: not of the bits that pad a compressed stream, which mean nothing. */
async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  const index = bytes.length - 3;
  bytes[index] = (bytes[index] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
}

async function objectsNamed(prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(system.storeDirectory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.startsWith(prefix)) paths.push(join(entry.parentPath, entry.name));
  }
  return paths;
}

test('what another machine has mounted is not mounted (31), and that machine recovers by itself', async () => {
  await writeFile(join(system.mountpoint, 'file'), 'contents');
  await system.flushCache();
  await system.kill();
  const here = system.cacheDirectory;
  const elsewhere = await MountedFileSystem.prepare({ storeDirectory: system.storeDirectory });
  await using _elsewhere = elsewhere;
  const before = await storeContents();
  const refused = await elsewhere.tryToMount();
  expect(refused).toMatchObject({ exitCode: 31 });
  expect(refused.stderr).toMatch(/(^|\n)error: [^\n]*in use by mount\.s3ql on [^\n]*--take-over\.\n$/);
  expect(await storeContents()).toEqual(before);
  expect(system.cacheDirectory).toBe(here);
  await system.mount();
  expect(await system.brokenInvariants({ allowUnknownObjects: true })).toEqual([]);
});

test.each<[string, Partial<Superblock>, number, RegExp]>([
  ['needs a check', { needsFsck: true, lastModifiedSeconds: 1 }, 30, /fsck\.s3ql/],
  ['has an older revision', { revision: 25 }, 32, /too old/],
  ['has a newer revision', { revision: 27 }, 33, /too new/],
])('a file system that %s is refused', async (_what, changes, exitCode, line) => {
  await system.unmount();
  await changeSuperblock(changes);
  await system.removeCache();
  expect(await attempt()).toEqual(refusal(exitCode, line));
});

test('a damaged superblock is reported as such', async () => {
  await system.unmount();
  await damage(join(system.storeDirectory, 's3ql_params'));
  expect(await attempt()).toEqual(refusal(1, /superblock s3ql_params is damaged.*Run "s3qladm restore-metadata" .*, then fsck\.s3ql\.$/m));
});

test('damaged metadata is refused by the name of the object, and used from the local copy while that is current', async () => {
  await system.unmount();
  const [piece = ''] = await objectsNamed('s3ql_metadata_');
  for (const path of await objectsNamed('s3ql_metadata_')) await damage(path);
  await system.mount();
  await system.unmount();
  for (const path of await objectsNamed('s3ql_metadata_')) await damage(path);
  await system.removeCache();
  expect(piece).not.toBe('');
  expect(await attempt()).toEqual(refusal(1, /s3ql_metadata_|damaged/));
});

test('a damaged data object is an I/O error for its file alone, and is healed by the same content', async () => {
  const contents = new Map<string, Buffer>(Array.from({ length: 8 }, (_, index) => [`file-${index}`, randomBytes(5_000)]));
  for (const [name, bytes] of contents) await writeFile(join(system.mountpoint, name), bytes);
  await system.unmount();
  const [object = ''] = await objectsNamed('s3ql_data_');
  await damage(object);
  await system.removeCache();
  await system.mount();

  const damaged: string[] = [];
  for (const name of contents.keys()) {
    const read = await readFile(join(system.mountpoint, name)).catch((error: NodeJS.ErrnoException) => error.code);
    if (read === 'EIO') damaged.push(name);
    expect(['EIO', contents.get(name)]).toContainEqual(read);
  }
  expect(damaged).toHaveLength(1);
  expect(await system.log()).toMatch(/s3ql_data_/);

  const [name = ''] = damaged;
  await writeFile(join(system.mountpoint, name), contents.get(name) ?? '');
  await system.unmount();
  await system.removeCache();
  await system.mount();
  expect(await readFile(join(system.mountpoint, name))).toEqual(contents.get(name));
});
