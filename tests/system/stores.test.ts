import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backendFactories } from '../../src/backends/registry.ts';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';
import { testStores } from '../support/stores.ts';
import { describeTree, makeTree } from '../support/tree.ts';

const FILE_COUNT = 40;
const LARGE_FILE_BYTES = 3_000_000;

let source: string;
let expected: string[];

beforeAll(async () => {
  source = await mkdtemp(join(tmpdir(), 's3ql-source-'));
  await makeTree(source, FILE_COUNT);
  await writeFile(join(source, 'large'), randomBytes(LARGE_FILE_BYTES));
  expected = await describeTree(source);
});

afterAll(() => rm(source, { recursive: true }));

test('there is one of every kind', () => {
  const schemes = new Set(testStores.map(([name]) => name.replace(/:.*/, '')));
  expect([...schemes].toSorted()).toEqual([...backendFactories.keys()].toSorted());
});

test.for(testStores)(
  'a file system at %s is made, mounted, filled, unmounted, and whole when it is mounted elsewhere',
  { timeout: 300_000 },
  async ([, start]) => {
    await using store = await start();
    await using fileSystem = await MountedFileSystem.create({ store, passphrase: 'pass phrase' });
    const copy = join(fileSystem.mountpoint, 'copy');
    await mustRun('cp', ['-a', source, copy]);
    await fileSystem.unmount();
    await fileSystem.removeCache();
    await fileSystem.mount();
    expect(await describeTree(copy)).toEqual(expected);
    await mustRun('rm', ['-r', join(copy, 'directory 0')]);
    await fileSystem.unmount();
    expect(await fileSystem.verify()).toMatchObject({ exitCode: 0 });
  },
);
