/** A mount that is given secrets in every way there is, with debugging messages and with trouble: nothing secret shows anywhere. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlFile } from '../../src/cli/control-file.ts';
import { runCommand } from '../support/mounted-file-system.ts';
import type { ProgramResult } from '../support/run-program.ts';
import { commandLinesWhile, secretForms } from '../support/secret-leaks.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';

const PASSPHRASE = 'Passphrase-of-the-file-system';
const { accessKeyId: LOGIN, secretAccessKey: PASSWORD } = TEST_ACCOUNT;

let server: S3Server;
let directory: string;
let mountpoint: string;
let url: string;

beforeEach(async () => {
  server = await S3Server.start();
  directory = mkdtempSync(join(tmpdir(), 's3ql-secret-'));
  mountpoint = join(directory, 'mnt');
  mkdirSync(mountpoint);
  url = `s3c4://${server.host}/bucket/p/`;
});

afterEach(async () => {
  // After a failure; else there is no mount.
  await runCommand('umount.s3ql', ['--lazy', mountpoint]);
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, maxRetries: 10 });
});

const commonArguments = (): string[] => ['--debug', '--cachedir', join(directory, 'cache'), '--backend-options', 'no-ssl,tcp-timeout=5'];
const run = (name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> =>
  runCommand(name, args, { env: { ...process.env, HOME: directory, ...env } });

function written(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}

/** What is in files of which nobody said that they hold a secret. */
function filesLeft(): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('given') && statSync(join(directory, name)).isFile())
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
}

test('from making to unmounting, with failures of the store and a crash report on the way', async () => {
  const given = join(directory, 'given');
  mkdirSync(given);
  const credentials = join(given, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 's3ql.fs-passphrase'), `${PASSPHRASE}\n`);
  const said: ProgramResult[] = [];
  const { result: masterKey, commandLines } = await commandLinesWhile(
    (async () => {
      // By variables.
      const environment = { S3QL_BACKEND_LOGIN: LOGIN, S3QL_BACKEND_PASSWORD: PASSWORD, S3QL_FS_PASSPHRASE: PASSPHRASE };
      const made = await run('mkfs.s3ql', [...commonArguments(), url], environment);
      expect(made).toMatchObject({ exitCode: 0 });
      const key = /---BEGIN MASTER KEY---\n(.*)\n/.exec(made.stdout)?.[1] ?? '';
      expect(key).toMatch(/^(\S{4} ){10}\S{4}$/);
      said.push({ ...made, stdout: made.stdout.replace(key, '') });

      // By a command, a file, and systemd.
      const authfile = written(
        'given/authinfo2',
        `[all]\nstorage-url: s3c4://\nbackend-login-file: ${written('given/login', LOGIN)}\nbackend-password-command: cat ${written('given/password', `${PASSWORD}\n`)}\n`,
      );
      server.http.plan({ on: /^(GET|PUT|HEAD)/, fault: { kind: 'answer', answer: { status: 503 } }, times: 3 });
      const mount = ['--authfile', authfile, '--metadata-backup-interval', '0', url, mountpoint];
      const mounted = await run('mount.s3ql', [...commonArguments(), ...mount], { CREDENTIALS_DIRECTORY: credentials });
      said.push(mounted);
      expect(mounted).toMatchObject({ exitCode: 0 });

      writeFileSync(join(mountpoint, 'file'), Buffer.alloc(100_000, 'x'));
      server.http.plan({ on: /^PUT/, fault: { kind: 'reset' }, times: 5 });
      said.push(await run('s3qlctrl', ['flushcache', mountpoint]), await run('s3qlstat', ['--json', mountpoint]));
      process.kill(await (await ControlFile.find(mountpoint)).pid(), 'SIGUSR1');
      await expect.poll(() => filesLeft().includes('Diagnostic report written'), { timeout: 30_000 }).toBe(true);
      const unmounted = await run('umount.s3ql', [mountpoint]);
      said.push(unmounted);
      expect(unmounted).toMatchObject({ exitCode: 0 });
      return key;
    })(),
  );
  const files = filesLeft();
  // It was looked at the right places, and something had gone wrong.
  expect(commandLines).toContain('mount.s3ql');
  for (const text of ['javascriptStack', ': failed: BackendError: ']) expect([text, files.includes(text)]).toEqual([text, true]);
  const seen = [...said.map(({ stdout, stderr }) => stdout + stderr), files, commandLines].join('\n');
  for (const secret of [PASSWORD, PASSPHRASE, masterKey, masterKey.replaceAll(' ', '')]) {
    for (const form of secretForms(secret, LOGIN)) expect([form, seen.includes(form)]).toEqual([form, false]);
  }
});
