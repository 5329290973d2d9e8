import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { authfileSource, readSecret, type SecretSource, takeOutsideSecrets } from './secret-sources.ts';

const directory = mkdtempSync(join(tmpdir(), 's3ql-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

function written(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const read = (...sources: readonly SecretSource[]): Promise<string | undefined> => readSecret(sources, 'local:///store/');
const ofFile = (content: string | Buffer): SecretSource => ({ kind: 'file', path: written('secret', content), origin: 'the test' });
const ofCommand = (command: string): SecretSource => ({ kind: 'command', command, origin: 'the test' });

test.for([
  ['one line', 'geheim\n', 'geheim'],
  ['one line of DOS', 'geheim\r\n', 'geheim'],
  ['no line end', 'geheim', 'geheim'],
  ['spaces, which belong to it', ' ge heim \n', ' ge heim '],
  ['several lines', 'a\nb\n\n', 'a\nb\n'],
  ['other letters', 'pässwörd ☃\n', 'pässwörd ☃'],
] as const)('a file or a command gives its content but for the end of the last line: %s', async ([, content, expected]) => {
  expect(await read(ofFile(content))).toBe(expected);
  expect(await read(ofCommand(`cat ${written('content', content)}`))).toBe(expected);
});

test.for([
  ['an empty file', () => ofFile('\n'), 'is empty'],
  ['a file that is no text', () => ofFile(Buffer.from([0xff, 0xfe, 0x41])), 'not valid UTF-8'],
  ['a file too large', () => ofFile(Buffer.alloc(70_000, 'x')), 'too large'],
  ['a file that is not there', () => ({ kind: 'file', path: join(directory, 'none'), origin: 'the test' }), 'Cannot read'],
  ['a command that fails', () => ofCommand('echo geheim; exit 3'), 'failed with exit code 3'],
  ['a command that does not exist', () => ofCommand('exec 2>/dev/null; /nowhere/command'), 'failed with exit code 127'],
  ['a command that is killed', () => ofCommand('kill -9 $$'), 'was ended by SIGKILL'],
  ['a command that says nothing', () => ofCommand('true'), 'is empty'],
  ['a command that never stops talking', () => ofCommand('exec 2>/dev/null; yes geheim'), 'too large'],
] as const satisfies readonly (readonly [string, () => SecretSource, string])[])(
  '%s is an error that names the place, not the secret',
  async ([, source, words]) => {
    const error = await read(source()).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(error).toMatchObject({ name: 'UserError', exitCode: 1 });
    expect(error?.message).toContain(words);
    expect(error?.message).toContain('the test');
    expect(String(error?.stack)).not.toContain('geheim');
  },
);

test('the environment counts more than systemd, and that more than the authfile; what has the secret ends the search', async () => {
  const authfile = authfileSource('backend-password', { backendPassword: { kind: 'value', text: 'of authfile' } }, '/auth');
  const inAuthfile = authfile === undefined ? [] : [authfile];
  const CREDENTIALS_DIRECTORY = directory;
  expect(await read(...takeOutsideSecrets({ CREDENTIALS_DIRECTORY })['backend-password'], ...inAuthfile)).toBe('of authfile');
  written('s3ql.backend-password', 'of systemd\n');
  expect(await read(...takeOutsideSecrets({ CREDENTIALS_DIRECTORY })['backend-password'], ...inAuthfile)).toBe('of systemd');
  const environment = { CREDENTIALS_DIRECTORY, S3QL_BACKEND_PASSWORD: 'of environment' };
  expect(await read(...takeOutsideSecrets(environment)['backend-password'], ...inAuthfile)).toBe('of environment');
});

test('each secret has its variables, and those that hold secrets are removed', async () => {
  const environment: NodeJS.ProcessEnv = {
    S3QL_BACKEND_LOGIN: 'me',
    S3QL_BACKEND_PASSWORD_FILE: written('password', 'from file\n'),
    S3QL_FS_PASSPHRASE_COMMAND: 'echo "for $S3QL_STORAGE_URL"',
  };
  const outside = takeOutsideSecrets(environment);
  expect(Object.keys(environment)).toEqual(['S3QL_BACKEND_PASSWORD_FILE', 'S3QL_FS_PASSPHRASE_COMMAND']);
  expect(await read(...outside['backend-login'])).toBe('me');
  expect(await read(...outside['backend-password'])).toBe('from file');
  expect(await read(...outside['fs-passphrase'])).toBe('for local:///store/');
});

test('without any of them there is no secret, and two that contradict each other are refused', async () => {
  expect(await read(...takeOutsideSecrets({ S3QL_BACKEND_LOGIN: '' })['backend-login'])).toBeUndefined();
  expect(() => takeOutsideSecrets({ S3QL_FS_PASSPHRASE: 'geheim', S3QL_FS_PASSPHRASE_FILE: '/x' })).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.not.stringContaining('geheim') as string }) as Error,
  );
});

test('an empty value in the authfile is one: some stores look at one of login and password only', async () => {
  const source = authfileSource('backend-password', { backendPassword: { kind: 'value', text: '' } }, '/auth');
  expect(await read(...(source === undefined ? [] : [source]))).toBe('');
});
