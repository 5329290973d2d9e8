import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StorageOptions, StorageUrlArgument } from './options/shared.ts';
import type { Authinfo2Settings } from '../backends/authinfo2.ts';
import { ensureCachedir, storageSettings } from './storage-settings.ts';

const NOTHING_GIVEN: StorageUrlArgument & StorageOptions = {
  storageUrl: 'local:///store',
  authfile: '/auth',
  cachedir: undefined,
  backendOptions: undefined,
  maxConnections: undefined,
  maxThreads: undefined,
  uploadLimit: undefined,
  downloadLimit: undefined,
};

const nobody = {
  ask: async () => {
    throw new Error('nothing is to be asked');
  },
};

async function settings(options: Partial<typeof NOTHING_GIVEN>, authfile: Authinfo2Settings): ReturnType<typeof storageSettings> {
  return storageSettings({ ...NOTHING_GIVEN, ...options }, nobody, async () => authfile);
}

test('what neither the command line nor the authfile says has its default', async () => {
  expect(await settings({}, {})).toEqual({
    backend: { url: 'local:///store/', options: {}, maxConnections: 32, bandwidthLimits: {} },
    cachedir: join(homedir(), '.s3ql'),
    maxThreads: undefined,
    compress: undefined,
    fsPassphrase: undefined,
  });
});

const AUTHFILE: Authinfo2Settings = {
  cachedir: '/from/authfile',
  maxConnections: '3',
  maxThreads: '4',
  compress: 'zlib-2',
  fsPassphrase: 'secret',
};

test('the authfile is asked for the canonical URL, and its settings hold', async () => {
  const asked: string[][] = [];
  const found = await storageSettings(NOTHING_GIVEN, nobody, async (path, url) => {
    asked.push([path, url]);
    return AUTHFILE;
  });
  expect(asked).toEqual([['/auth', 'local:///store/']]);
  expect(found).toMatchObject({
    backend: { maxConnections: 3 },
    cachedir: '/from/authfile',
    maxThreads: 4,
    compress: { algorithm: 'zlib', level: 2 },
    fsPassphrase: 'secret',
  });
});

test('the command line counts more than the authfile', async () => {
  expect(await settings({ cachedir: '/given', maxConnections: 7, maxThreads: 8 }, AUTHFILE)).toMatchObject({
    backend: { maxConnections: 7 },
    cachedir: '/given',
    maxThreads: 8,
  });
});

test.each([
  [{ maxConnections: 'many' }, 2, '/auth: max-connections: expected a whole number of at least 1'],
  [{ compress: 'zstd' }, 2, '/auth: compress: expected one of lzma, bzip2, zlib, none, optionally with a level, as in lzma-6'],
  [{ backendOptions: 'frobnicate' }, 3, /frobnicate/],
])('an authfile with %j is refused', async (authfile, exitCode, message) => {
  await expect(settings({}, authfile)).rejects.toMatchObject({
    name: 'UserError',
    exitCode,
    message: expect.stringMatching(message) as string,
  });
});

test('a URL that no backend knows is refused with exit code 2', async () => {
  await expect(settings({ storageUrl: 'gopher://x' }, {})).rejects.toMatchObject({ name: 'UserError', exitCode: 2 });
});

test('a cache directory is made for its owner alone, or refused with exit code 45', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cachedir-'));
  try {
    const made = join(directory, 'a', 'b');
    ensureCachedir(made);
    ensureCachedir(made);
    expect(statSync(made).mode & 0o777).toBe(0o700);
    writeFileSync(join(directory, 'file'), '');
    expect(() => ensureCachedir(join(directory, 'file', 'x'))).toThrow(
      expect.objectContaining({ name: 'UserError', exitCode: 45 }) as Error,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
