import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runMkfs, type MakeFileSystem, type MkfsRequest } from './run-mkfs.ts';

let directory: string;
let stdout: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mkfs-'));
  stdout = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

const MASTER_KEY = Uint8Array.from({ length: 32 }, (_value, index) => index);

async function mkfs(argv: readonly string[], makeFileSystem: MakeFileSystem): Promise<number> {
  const given = ['--authfile', join(directory, 'none'), '--cachedir', join(directory, 'cache'), `local://${directory}/store`, ...argv];
  return runMkfs(given, makeFileSystem);
}

test('what was given arrives where the file system is made', async () => {
  const requests: MkfsRequest[] = [];
  const exitCode = await mkfs(['-L', 'data', '--plain'], async (request) => {
    requests.push(request);
    return {};
  });
  expect([exitCode, stdout.join('')]).toEqual([0, '']);
  expect(requests).toMatchObject([
    {
      label: 'data',
      plain: true,
      dataBlockSizeBytes: 1048576,
      storage: { backend: { url: `local://${directory}/store/` }, cachedir: `${directory}/cache` },
    },
  ]);
});

test('the master key is printed in eleven groups of four between its markers', async () => {
  await mkfs([], async () => ({ masterKey: MASTER_KEY }));
  expect(stdout.join('')).toMatch(
    /\n---BEGIN MASTER KEY---\nAAEC AwQF BgcI CQoL DA0O DxAR EhMU FRYX GBka Gxwd Hh8=\n---END MASTER KEY---\n$/,
  );
});

test('with --json the result is one object', async () => {
  await mkfs(['--json', '--label', 'x'], async () => ({ masterKey: MASTER_KEY }));
  expect(JSON.parse(stdout.join(''))).toEqual({
    storageUrl: `local://${directory}/store/`,
    label: 'x',
    masterKey: 'AAEC AwQF BgcI CQoL DA0O DxAR EhMU FRYX GBka Gxwd Hh8=',
  });
});

test('Ctrl-C aborts the work and ends the command without a word', async () => {
  const made = mkfs([], async (_request, { signal }) => {
    process.emit('SIGINT');
    signal.throwIfAborted();
    return {};
  });
  await expect(made).rejects.toMatchObject({ name: 'InterruptedError' });
});
