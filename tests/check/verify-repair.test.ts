/** s3ql_verify --repair: damaged and missing objects come back from the cache; what cannot is taken out, as fsck.s3ql would. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import type { ProgramResult } from '../support/run-program.ts';

const PASSPHRASE = 'repair';

let system: MountedFileSystem;
beforeAll(async () => {
  system = await MountedFileSystem.create({ passphrase: PASSPHRASE, mountArguments: ['--keep-cache'], dataBlockSizeKib: 16 });
  for (const name of ['one', 'two', 'three']) writeFileSync(join(system.mountpoint, name), Buffer.alloc(40_000, `${name} `));
  await system.unmount();
});
afterAll(() => system[Symbol.asyncDispose]());

const at = (name: string): string => join(system.mountpoint, name);

function run(program: string, ...args: readonly string[]): Promise<ProgramResult> {
  const common = ['--cachedir', system.cacheDirectory, '--authfile', join(system.directory, 'none')];
  return runCommand(program, [...common, ...args, system.storageUrl], { input: `${PASSPHRASE}\n`, cwd: system.directory });
}

async function verify(...args: readonly string[]): Promise<{ exitCode: number | null; summary: unknown }> {
  const result = await run('s3ql_verify', '--data', '--json', ...args);
  for (const name of ['missing_objects.txt', 'corrupted_objects.txt']) rmSync(join(system.directory, name), { force: true });
  return { exitCode: result.exitCode, summary: JSON.parse(result.stdout) };
}

const objectPath = (index: number): string => {
  const directory = join(system.storeDirectory, 's3ql_data_');
  return join(directory, readdirSync(directory).toSorted()[index] ?? '');
};

test('objects that the cache still holds are stored again', async () => {
  rmSync(objectPath(0));
  truncateSync(objectPath(1), 200);
  expect(await verify('--repair')).toEqual({
    exitCode: 46,
    summary: {
      verifiedCount: 7,
      missingCount: 1,
      corruptedCount: 1,
      repair: { storedAgainCount: 2, lostCount: 0, damagedFileCount: 0 },
    },
  });
  expect(readFileSync(objectPath(0)).length).toBeGreaterThan(0);
  expect(await verify()).toMatchObject({ exitCode: 0, summary: { verifiedCount: 7, missingCount: 0, corruptedCount: 0 } });
  expect(await run('fsck.s3ql', '--force')).toMatchObject({ exitCode: 0 });
  expect(await system.brokenInvariants()).toEqual([]);
});

test('files whose contents are nowhere any more move to lost+found; all others are untouched', async () => {
  const local = readdirSync(system.cacheDirectory).find((name) => name.startsWith('local:'));
  rmSync(join(system.cacheDirectory, local ?? '', 'segments'), { recursive: true });
  const text = readFileSync(objectPath(2));
  text[text.length - 1] = (text.at(-1) ?? 0) ^ 1;
  writeFileSync(objectPath(2), text);
  const damaged = objectPath(2);
  const { exitCode, summary } = await verify('--repair');
  expect([exitCode, summary]).toEqual([
    46,
    { verifiedCount: 7, missingCount: 0, corruptedCount: 1, repair: { storedAgainCount: 0, lostCount: 1, damagedFileCount: 1 } },
  ]);
  expect(existsSync(damaged)).toBe(false);
  expect(await verify()).toMatchObject({ exitCode: 0, summary: { verifiedCount: 6 } });
  expect(await run('fsck.s3ql', '--force')).toMatchObject({ exitCode: 0 });
  await system.mount();
  const whole = readdirSync(system.mountpoint).filter((name) => name !== 'lost+found');
  expect(whole).toHaveLength(2);
  for (const name of whole) expect(readFileSync(at(name))).toEqual(Buffer.alloc(40_000, `${name} `));
  expect(readdirSync(at('lost+found'))).toHaveLength(1);
  await system.unmount();
  expect(await system.brokenInvariants()).toEqual([]);
});

test('without anything to repair nothing is written', async () => {
  const params = (): string[] => readdirSync(system.storeDirectory).filter((name) => name.startsWith('s3ql_params_'));
  const before = params();
  expect(await verify('--repair')).toMatchObject({ exitCode: 0 });
  expect(params()).toEqual(before);
});
