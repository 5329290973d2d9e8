import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { authinfo2Settings, readAuthinfo2 } from './authinfo2.ts';

const directory = mkdtempSync(join(tmpdir(), 's3ql-authinfo2-'));
afterAll(() => rmSync(directory, { recursive: true }));

const FILE = `
[s3]
storage-url: s3://
backend-login: general
backend-password: 100%%#secret;

[one bucket]
storage-url = s3://eu-west-1/bucket/
Backend-Login = special
fs-passphrase: correct horse
 battery staple
max-connections: 8
max-threads: 3
backend-options: sse,tcp-timeout=30
cachedir: ~/cache
compress: zlib-6

[elsewhere]
storage-url: gs://bucket
backend-login: oauth2
`;

function written(name: string, text: string | Buffer, mode: number = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('sections whose storage-url begins the URL are merged, later ones win', () => {
  expect(authinfo2Settings(FILE, 's3://eu-west-1/bucket/prefix')).toEqual({
    backendLogin: { kind: 'value', text: 'special' },
    backendPassword: { kind: 'value', text: '100%#secret;' },
    fsPassphrase: { kind: 'value', text: 'correct horse\nbattery staple' },
    maxConnections: '8',
    maxThreads: '3',
    backendOptions: 'sse,tcp-timeout=30',
    cachedir: '~/cache',
    compress: 'zlib-6',
  });
  expect(authinfo2Settings(FILE, 's3://eu-west-1/bucket')).toEqual({
    backendLogin: { kind: 'value', text: 'general' },
    backendPassword: { kind: 'value', text: '100%#secret;' },
  });
  expect(authinfo2Settings(FILE, 'gs://bucket-2/')).toEqual({ backendLogin: { kind: 'value', text: 'oauth2' } });
  expect(authinfo2Settings(FILE, 'local:///srv/')).toEqual({});
});

test('a secret may be in a file or come from a command; of several sections the last one counts, in whatever form', () => {
  const file = `
[all]
storage-url: s3://
backend-login: me
backend-password: old
fs-passphrase-file: /run/passphrase
[one]
storage-url: s3://eu-west-1/
backend-login-file: /run/login
backend-password-command: pass show "s3 key"
`;
  expect(authinfo2Settings(file, 's3://eu-west-1/bucket')).toEqual({
    backendLogin: { kind: 'file', text: '/run/login' },
    backendPassword: { kind: 'command', text: 'pass show "s3 key"' },
    fsPassphrase: { kind: 'file', text: '/run/passphrase' },
  });
});

test('a section without a storage-url applies to nothing, DEFAULT to all that apply', () => {
  expect(authinfo2Settings('[a]\nbackend-login: x', 's3://a/b')).toEqual({});
  expect(authinfo2Settings('[DEFAULT]\ncompress: none\n[a]\nstorage-url: s3://', 's3://a/b')).toEqual({ compress: 'none' });
});

test('without a file there are no settings', async () => {
  expect(await readAuthinfo2(join(directory, 'missing'), 's3://a/b')).toEqual({});
});

test('a private file is read', async () => {
  expect(await readAuthinfo2(written('private', FILE), 's3://x/')).toMatchObject({ backendLogin: { kind: 'value', text: 'general' } });
});

test.for([0o640, 0o604, 0o644])('a file of mode %o is refused with exit code 12', async (mode) => {
  await expect(readAuthinfo2(written('open', FILE, mode), 's3://x/')).rejects.toMatchObject({ name: 'UserError', exitCode: 12 });
});

test.for([
  ['an unknown key', '[a]\nstorage-url: s3://\nbackend-logn: x'],
  ['an unknown key in a section for other URLs', '[a]\nstorage-url: gs://\nx: y'],
  ['a secret in two forms', '[a]\nstorage-url: s3://\nbackend-password: x\nbackend-password-command: y'],
  ['a file where none may be', '[a]\nstorage-url: s3://\ncachedir-file: x'],
  ['no INI file', 'nonsense'],
  ['a lone percent sign', '[a]\nbackend-password: a%b'],
])('%s is refused with exit code 2, without a secret in the message', async ([, text = '']) => {
  await expect(readAuthinfo2(written('bad', text), 's3://x/')).rejects.toMatchObject({
    exitCode: 2,
    message: expect.not.stringContaining('a%b') as string,
  });
});

test('a password in another encoding than UTF-8 is not taken for another password', async () => {
  const latin1 = Buffer.from('[a]\nstorage-url: s3://\nbackend-password: pässwort', 'latin1');
  await expect(readAuthinfo2(written('latin1', latin1), 's3://x/')).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/UTF-8(?!.*wort)/) as string,
  });
});

test('what cannot be read is an error that says why', async () => {
  await expect(readAuthinfo2(directory, 's3://x/')).rejects.toMatchObject({ name: 'UserError' });
});
