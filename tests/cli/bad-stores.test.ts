/**
 * What a person gets to see when a store cannot be opened, for every kind of store and by the real commands: the exit code, one line that names
 * the cure, within seconds; and nothing secret anywhere, although debugging messages are on: neither on the terminal nor in a log, nor in
 * the list of processes.
 */
import { readdirSync, readFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AllStores, DENIED_S3_ACCOUNT, EXPIRED_S3_ACCOUNT, type StoreCase } from '../support/all-stores.ts';
import { runCommand } from '../support/mounted-file-system.ts';
import { commandLinesWhile, secretForms } from '../support/secret-leaks.ts';
import { gsErrorAnswer } from '../support/servers/gs-server.ts';
import type { Answer } from '../support/servers/loopback-server.ts';
import { errorAnswer } from '../support/servers/s3-server.ts';

/** Far below a day, far above what a loaded machine needs. */
const PATIENCE_MS = 60_000;
const PASSPHRASE = 'Passphrase-of-the-file-system';
const WRONG = 'wr0ng/Secret+value=';

interface Row {
  readonly what: string;
  readonly change: (store: StoreCase) => Partial<StoreCase>;
  readonly exitCode: number;
  readonly words: string | RegExp;
  /** What the server says to every request. */
  readonly answer?: Answer;
  readonly clockOffsetMs?: number;
}

let stores: AllStores;
let directory: string;
let count = 0;

beforeAll(async () => {
  stores = await AllStores.start();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-bad-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
  stores.reset();
  stores.s3.clockOffsetMs = 0;
});

afterAll(() => stores[Symbol.asyncDispose]());

const url = (pattern: string | RegExp, replacement: string) => (store: StoreCase) => ({ url: store.url.replace(pattern, replacement) });
const wrongPassword: Row = { what: 'a wrong password', change: () => ({ password: WRONG }), exitCode: 14, words: 'check' };
const unknownLogin: Row = { what: 'an unknown login', change: () => ({ login: 'nobody' }), exitCode: 14, words: 'check' };
const noHost: Row = {
  what: 'a host that does not exist',
  change: url(/\/\/([^@/]*@)?[^/]+/, '//$1no-such-host.invalid'),
  exitCode: 19,
  words: 'no-such-host.invalid',
};
const noTls: Row = { what: 'TLS where there is none', change: () => ({ options: '' }), exitCode: 2, words: 'no-ssl' };
const tls: Row = {
  what: 'no TLS where it is wanted',
  change: (store) => url(/\/\/[^/]+/, `//${stores.tlsHost}`)(store),
  exitCode: 2,
  words: 'expects TLS',
};
const badTimeout: Row = {
  what: 'an option with a value that makes no sense',
  change: ({ options }) => ({ options: `${options},tcp-timeout=soon` }),
  exitCode: 2,
  words: 'tcp-timeout',
};
const unknownOption: Row = {
  what: 'an option that there is not',
  change: ({ options }) => ({ options: [options, 'frobnicate'].filter(Boolean).join(',') }),
  exitCode: 3,
  words: 'frobnicate',
};
const untrusted: Row = {
  what: 'a certificate that nobody trusts',
  change: ({ options }) => ({ options: `${options},ssl-ca-path=/etc/ssl/certs/ca-certificates.crt` }),
  exitCode: 2,
  words: 'ssl-ca-path',
};
const noContainer = (pattern: string | RegExp, replacement: string): Row => ({
  what: 'a container that does not exist',
  change: url(pattern, replacement),
  exitCode: 16,
  words: 'create it first',
});
const denied = (answer: Answer): Row => ({
  what: 'no permission',
  change: () => ({}),
  answer,
  exitCode: 15,
  words: /permission|role|denies/,
});

const s3Rows: readonly Row[] = [
  wrongPassword,
  unknownLogin,
  { what: 'expired credentials', change: () => s3Login(EXPIRED_S3_ACCOUNT), exitCode: 14, words: 'renew' },
  denied(errorAnswer(403, 'AccessDenied', 'Access Denied')),
  {
    what: 'a wrong clock',
    change: () => ({}),
    answer: errorAnswer(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'),
    exitCode: 2,
    words: 'timedatectl',
  },
];
const swiftRows: readonly Row[] = [wrongPassword, denied({ status: 403 })];

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  local: [{ what: 'a directory that does not exist', change: url(/$/, '/none'), exitCode: 16, words: 'create it first' }, unknownOption],
  s3: [
    ...s3Rows,
    noContainer('/bucket/', '/no-bucket/'),
    {
      what: 'a bucket in another region',
      change: () => ({}),
      answer: errorAnswer(400, 'AuthorizationHeaderMalformed', 'the region is wrong', { Region: 'us-west-2' }),
      exitCode: 2,
      words: 's3://us-west-2/bucket/p/',
    },
    untrusted,
  ],
  s3c: [...s3Rows, noContainer('/bucket/', '/no-bucket/'), noHost, tls, noTls],
  s3c4: [
    ...s3Rows,
    { what: 'a key without permission', change: () => s3Login(DENIED_S3_ACCOUNT), exitCode: 15, words: 'permission' },
    { what: 'the clock of the store', change: () => ({}), clockOffsetMs: 3_600_000, exitCode: 2, words: '60 minutes behind' },
    noContainer('/bucket/', '/no-bucket/'),
    {
      what: 'another region',
      change: ({ options }) => ({ options: `${options},sig-region=us-west-2` }),
      exitCode: 2,
      words: 'sig-region=us-east-1',
    },
    noHost,
    tls,
    noTls,
    badTimeout,
    unknownOption,
  ],
  b2: [
    { ...wrongPassword, words: 'backend-password' },
    noContainer('my-bucket', 'other-bucket'),
    denied(errorAnswer(403, 'AccessDenied', 'Access Denied')),
    untrusted,
  ],
  gs: [
    { ...wrongPassword, words: 'refresh token' },
    { what: 'a login of another kind', change: () => ({ login: 'anna' }), exitCode: 2, words: 'service-account' },
    { ...noContainer(/gs:\/\/[^/]+/, 'gs://no-such-bucket'), words: 'create it first' },
    denied(gsErrorAnswer(403, 'forbidden', 'backup@project does not have storage.objects.list access.')),
    untrusted,
  ],
  swift: [...swiftRows, unknownLogin, noContainer('/c/', '/none/'), noHost, tls, noTls],
  swiftks: [
    ...swiftRows,
    noContainer(':c/', ':none/'),
    { what: 'another region', change: url('RegionOne', 'Nowhere'), exitCode: 2, words: 'RegionOne' },
    noHost,
    tls,
    noTls,
  ],
  rackspace: [wrongPassword, noContainer('/c/', '/none/'), untrusted],
  azure: [
    {
      ...wrongPassword,
      change: () => ({ password: Buffer.from(WRONG).toString('base64') }),
      answer: { status: 403, headers: { 'x-ms-error-code': 'AuthenticationFailed' } },
    },
    noContainer('/container/', '/none/'),
    denied({ status: 403, headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch' } }),
    {
      what: 'a host that does not exist',
      change: () => ({ options: 'endpoint=http://no-such-host.invalid' }),
      exitCode: 19,
      words: 'no-such-host.invalid',
    },
  ],
  webdav: [wrongPassword, denied({ status: 403 }), noContainer(/$/, '/none'), noHost, tls, noTls],
  sftp: [
    {
      what: 'a key that the server does not know',
      change: () => ({ options: `identity-file=${stores.sshFile('other-key')},known-hosts=${stores.sshFile('known_hosts')}` }),
      exitCode: 14,
      words: /key|identity/,
    },
    {
      what: 'a host that nobody has vouched for',
      change: () => ({ options: `identity-file=${stores.sshFile('user-key')},known-hosts=/dev/null` }),
      exitCode: 2,
      words: 'known',
    },
    noContainer(/$/, '/none'),
    noHost,
  ],
};

function s3Login({ accessKeyId, secretAccessKey }: typeof DENIED_S3_ACCOUNT): Partial<StoreCase> {
  return { login: accessKeyId, password: secretAccessKey };
}

/** mkfs, mount and fsck in turn: they open stores in the same way, which is not to be taken on trust. */
function command(): [name: string, args: readonly string[]] {
  const commands = [
    ['mkfs.s3ql', []],
    ['mount.s3ql', ['--log', join(directory, 'mount.log')]],
    ['fsck.s3ql', ['--batch', '--log', join(directory, 'fsck.log')]],
  ] as const;
  count += 1;
  return commands[count % commands.length] as unknown as [string, readonly string[]];
}

function writeAuthfile({ url, login, password }: StoreCase): string {
  const path = join(directory, 'authinfo2');
  const settings = { 'storage-url': url, 'backend-login': login, 'backend-password': password, 'fs-passphrase': PASSPHRASE };
  const lines = Object.entries(settings).map(([key, value]) => (value === undefined ? '' : `${key}: ${value.replaceAll('%', '%%')}\n`));
  writeFileSync(path, `[test]\n${lines.join('')}`, { mode: 0o600 });
  return path;
}

/** Everything that the command left in files, but for what it was given. */
function filesLeft(): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'authinfo2' && statSync(join(directory, name)).isFile())
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
}

describe.for(Object.entries(ROWS))('%s://', ([scheme, rows]) => {
  test.for(rows.map((row) => [row.what, row] as const))('%s', async ([, { change, exitCode, words, answer, clockOffsetMs = 0 }]) => {
    const good = stores.cases[scheme] as StoreCase;
    const store = { ...good, ...change(good) };
    // Swift's logins go to the same server.
    const on = /swift|rackspace/.test(scheme) ? /\/AUTH_/ : /./;
    if (answer !== undefined) store.server?.plan({ on, fault: { kind: 'answer', answer }, times: 1000 });
    stores.s3.clockOffsetMs = clockOffsetMs;
    const [name, args] = command();
    const mountpoint = join(directory, 'mnt');
    mkdirSync(mountpoint);
    const { result, commandLines } = await commandLinesWhile(
      runCommand(
        name,
        [
          ...args,
          '--debug',
          '--authfile',
          writeAuthfile(store),
          '--cachedir',
          join(directory, 'cache'),
          ...(store.options === '' ? [] : ['--backend-options', store.options]),
          store.url,
          ...(name === 'mount.s3ql' ? [mountpoint] : []),
        ],
        { env: { ...process.env, HOME: directory, ...stores.environment }, input: `${PASSPHRASE}\n`, timeoutMs: PATIENCE_MS },
      ),
    );
    const errors = result.stderr.split('\n').filter((line) => line.startsWith('error:'));
    expect([result.exitCode, result.signal, errors]).toEqual([exitCode, null, [expect.stringMatching(words)]]);
    expect(result.stderr).not.toContain('This is a bug');

    const seen = [result.stdout, result.stderr, filesLeft(), commandLines].join('\n');
    for (const secret of [store.password, PASSPHRASE, 'proxy-Passw0rd', 'GOCSPX-client-secret']) {
      if (secret === undefined) continue;
      for (const form of secretForms(secret, store.login)) expect([form, seen.includes(form)]).toEqual([form, false]);
    }
    expect(seen).not.toMatch(/ya29\.|AUTH_tk[0-9a-f]|Basic [A-Za-z0-9+/=]{8}/);
  });
});
