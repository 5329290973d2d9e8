import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StorageOptions, StorageUrlArgument } from './options/shared.ts';
import type { Authinfo2Settings } from '../backends/authinfo2.ts';
import { NO_OUTSIDE_SECRETS, takeOutsideSecrets } from './secret-sources.ts';
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
  return storageSettings({ ...NOTHING_GIVEN, ...options }, nobody, { readAuthfile: async () => authfile, outside: NO_OUTSIDE_SECRETS });
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
  fsPassphrase: { kind: 'value', text: 'secret' },
};

test('the authfile is asked for the canonical URL, and its settings hold', async () => {
  const asked: string[][] = [];
  const readAuthfile = async (path: string, url: string): Promise<Authinfo2Settings> => {
    asked.push([path, url]);
    return AUTHFILE;
  };
  const found = await storageSettings(NOTHING_GIVEN, nobody, { readAuthfile, outside: NO_OUTSIDE_SECRETS });
  expect(asked).toEqual([['/auth', 'local:///store/']]);
  expect(found).toMatchObject({
    backend: { maxConnections: 3 },
    cachedir: '/from/authfile',
    maxThreads: 4,
    compress: { algorithm: 'zlib', level: 2 },
    fsPassphrase: 'secret',
  });
});

test('secrets of the environment count more than those of the authfile, and only what a store needs is asked for', async () => {
  const environment = { S3QL_BACKEND_PASSWORD: 'from environment', S3QL_FS_PASSPHRASE_COMMAND: 'echo "$S3QL_STORAGE_URL"' };
  const authfile: Authinfo2Settings = {
    backendLogin: { kind: 'command', text: 'echo from command' },
    backendPassword: { kind: 'command', text: 'false' },
    fsPassphrase: { kind: 'value', text: 'from authfile' },
  };
  const outside = takeOutsideSecrets(environment);
  const read = (storageUrl: string, newFileSystem = false): ReturnType<typeof storageSettings> =>
    storageSettings({ ...NOTHING_GIVEN, storageUrl }, nobody, { readAuthfile: async () => authfile, outside, newFileSystem });
  expect(await read('s3://eu-west-1/bucket')).toMatchObject({
    backend: { login: 'from command', password: 'from environment' },
    fsPassphrase: 's3://eu-west-1/bucket',
  });
  expect((await read('local:///store')).backend).not.toHaveProperty('login');
  expect(await read('local:///store', true)).toMatchObject({ fsPassphrase: 'local:///store/' });
});

test('a passphrase of the authfile is not that of a file system that is being made', async () => {
  const { fsPassphrase } = await storageSettings(NOTHING_GIVEN, nobody, {
    readAuthfile: async () => AUTHFILE,
    outside: NO_OUTSIDE_SECRETS,
    newFileSystem: true,
  });
  expect(fsPassphrase).toBeUndefined();
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
    for (const impossible of [join(directory, 'file', 'x'), '/proc/s3ql']) {
      expect(() => ensureCachedir(impossible)).toThrow(expect.objectContaining({ name: 'UserError', exitCode: 45 }) as Error);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
