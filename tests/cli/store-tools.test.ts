/** `s3ql benchmark` and `s3ql remove-objects`, which work on a store. */
import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import type { ProgramResult } from '../support/run-program.ts';

let fileSystem: MountedFileSystem;
beforeEach(async () => {
  fileSystem = await MountedFileSystem.create();
});
afterEach(async () => {
  await fileSystem[Symbol.asyncDispose]();
});

const failure = (exitCode: number, message: string): Partial<ProgramResult> => ({ exitCode, stdout: '', stderr: `error: ${message}\n` });

function tool(name: string, args: readonly string[], input: string = ''): Promise<ProgramResult> {
  const { cacheDirectory, directory } = fileSystem;
  return runCommand('s3ql', [name, '--cachedir', cacheDirectory, '--authfile', join(directory, 'authinfo2'), '--quiet', ...args], {
    input,
  });
}

async function storedFiles(): Promise<string[]> {
  return (await readdir(fileSystem.storeDirectory, { recursive: true })).sort();
}

describe('benchmark', () => {
  test('measures mount, compression and store, recommends settings, and leaves nothing behind', async () => {
    await fileSystem.unmount();
    const before = [await storedFiles(), await readdir(fileSystem.cacheDirectory)];
    const sample = join(fileSystem.directory, 'sample');
    await writeFile(sample, 'some text that repeats itself '.repeat(10_000));
    const args = ['--time', '0.02', fileSystem.storageUrl, sample];
    const { stdout, stderr, exitCode } = await tool('benchmark', ['--json', ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const result = JSON.parse(stdout) as {
      mount: { rates: Array<{ bytesPerSecond: number }> };
      compressions: Array<{ compression: string; bytesPerSecond: number; ratio: number }>;
      uploads: Array<{ connections: number; bytesPerSecond: number }>;
      recommendation: { compression: string; threads: number; connections: number };
    };
    expect(result.mount.rates).toHaveLength(3);
    expect(result.compressions.map(({ compression }) => compression)).toEqual(['none', 'zlib-1', 'zlib-6', 'bzip2-6', 'lzma-1', 'lzma-6']);
    expect(result.compressions[0]?.ratio).toBeCloseTo(1, 2);
    expect(result.compressions[2]?.ratio).toBeLessThan(0.1);
    expect(result.uploads[0]).toMatchObject({ connections: 1 });
    const rates = [...result.mount.rates, ...result.compressions, ...result.uploads];
    expect(rates.filter(({ bytesPerSecond }) => !(bytesPerSecond > 0))).toEqual([]);
    expect([await storedFiles(), await readdir(fileSystem.cacheDirectory)]).toEqual(before);

    const shown = await tool('benchmark', args);
    expect(shown.stdout).toMatch(
      /\nRecommended: --compress [a-z0-9-]+ --max-threads \d+ --max-connections \d+\nWith that about .* can be stored/,
    );
  });

  test('what cannot be measured is refused with one line', async () => {
    const { storageUrl, directory } = fileSystem;
    await writeFile(join(directory, 'empty'), '');
    expect(await tool('benchmark', [storageUrl])).toMatchObject(failure(2, "Missing required argument 'file'"));
    expect(await tool('benchmark', [storageUrl, `${directory}/none`])).toMatchObject(failure(1, `${directory}/none does not exist`));
    expect(await tool('benchmark', [storageUrl, directory])).toMatchObject(failure(1, `${directory} is not a regular file`));
    expect(await tool('benchmark', [storageUrl, `${directory}/empty`])).toMatchObject(
      failure(1, `${directory}/empty is empty: there is nothing to measure with`),
    );
    expect(await tool('benchmark', [`local://${directory}/none`, '/etc/passwd'])).toMatchObject({ exitCode: 16 });
  });
});

describe('remove-objects', () => {
  test('removes what the list names and is there, once that is confirmed; fsck then knows which files are hurt', async () => {
    const list = join(fileSystem.directory, 'list');
    await writeFile(join(fileSystem.mountpoint, 'file'), 'content');
    await fileSystem.flushCache();
    const key = (await storedFiles()).map((path) => basename(path)).find((name) => /^s3ql_data_\d+$/.test(name));
    await writeFile(list, `${key}\n\ns3ql_data_999\n${key}\n`);
    const { storageUrl } = fileSystem;
    expect(await tool('remove-objects', ['--batch', storageUrl, list])).toMatchObject({
      exitCode: 40,
      stderr: expect.stringContaining('is in use on this machine') as string,
    });
    await fileSystem.unmount();
    const before = await storedFiles();
    expect(await tool('remove-objects', ['--dry-run', storageUrl, list])).toMatchObject({
      exitCode: 0,
      stdout: `would remove ${key}\nThere are 1 of 2 objects.\n`,
    });
    expect(await tool('remove-objects', [storageUrl, list], 'no\n')).toMatchObject(failure(1, 'Aborted: nothing was removed.'));
    expect(await storedFiles()).toEqual(before);

    const removed = await tool('remove-objects', ['--json', storageUrl, list], 'yes\n');
    expect(JSON.parse(removed.stdout)).toEqual({ dryRun: false, found: [key], missing: ['s3ql_data_999'] });
    const after = await storedFiles();
    expect(before.filter((name) => !after.includes(name))).toEqual([expect.stringMatching(new RegExp(`${key}$`))]);
    const checked = await runCommand('fsck.s3ql', ['--batch', '--force', '--cachedir', fileSystem.cacheDirectory, storageUrl]);
    expect(checked).toMatchObject({ exitCode: 128 });
  });

  test('nothing but data objects is ever removed', async () => {
    await fileSystem.unmount();
    const { storageUrl, directory } = fileSystem;
    const before = await storedFiles();
    for (const line of ['s3ql_params', 's3ql_passphrase', '../x', 's3ql_data_']) {
      await writeFile(join(directory, 'list'), `s3ql_data_1\n${line}\n`);
      expect(await tool('remove-objects', ['--batch', storageUrl, join(directory, 'list')])).toMatchObject(
        failure(1, `${directory}/list: line 2 is not the name of a data object: nothing was removed`),
      );
    }
    expect(await tool('remove-objects', [storageUrl, `${directory}/none`])).toMatchObject(failure(1, `${directory}/none does not exist`));
    expect(await tool('remove-objects', [storageUrl])).toMatchObject(failure(2, "Missing required argument 'file'"));
    expect(await storedFiles()).toEqual(before);
  });
});
