import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { BackendError, MisconfigurationError, NoSpaceError, NoSuchContainerError, PermissionError } from '../../src/backends/errors.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { openingFailure } from '../support/opening-failure.ts';
import type { Answer, Fault } from '../support/servers/loopback-server.ts';
import { errorAnswer, S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';

let server: S3Server;

const open = (request: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(
    backendSpec({
      url: `s3c4://${server.host}/bucket/`,
      login: TEST_ACCOUNT.accessKeyId,
      password: TEST_ACCOUNT.secretAccessKey,
      options: 'no-ssl,tcp-timeout=0.5',
      ...request,
    }),
  );

beforeAll(async () => {
  server = await S3Server.start({ accounts: [TEST_ACCOUNT, { accessKeyId: 'EXPIRED', secretAccessKey: 'x', expired: true }] });
});

beforeEach(() => {
  server.clear();
  server.http.reset();
});

afterAll(() => server[Symbol.asyncDispose]());

describe('a store of the S3 family that cannot be opened', () => {
  test.for([
    ['an unknown key', { login: 'NOBODY' }, 14, 'backend-login'],
    ['a wrong secret', { password: 'wrong' }, 14, 'backend-password'],
    ['expired credentials', { login: 'EXPIRED', password: 'x' }, 14, 'expired'],
    ['another region', { options: 'no-ssl,sig-region=eu-west-1' }, 2, 'sig-region=us-east-1'],
    ['TLS where there is none', { options: '' }, 2, 'no-ssl'],
    ['a time-out that is none', { options: 'no-ssl,tcp-timeout=soon' }, 2, 'tcp-timeout'],
    ['a certificate file that is not there', { options: 'ssl-ca-path=/nowhere' }, 2, '/nowhere'],
    ['an option it does not have', { options: 'no-ssl,sse' }, 3, 'sse'],
  ] as const)('because of %s exits with the right code and names the cure', async ([, request, exitCode, words]) => {
    const report = await openingFailure((async () => open(request))());
    expect(report).toMatchObject({ exitCode, message: expect.stringContaining(words) as string });
    expect(report).not.toHaveProperty('details');
  });

  test('because of a bucket that does not exist exits with 16 after one request', async () => {
    const report = await openingFailure(open({ url: `s3c4://${server.host}/missing/` }));
    expect(report).toMatchObject({ exitCode: 16, message: expect.stringContaining('Bucket missing does not exist') as string });
    expect(server.http.requests).toHaveLength(1);
  });

  test('because its name does not resolve exits with 19', async () => {
    const report = await openingFailure(open({ url: 's3c4://no-such-host.invalid/bucket/' }));
    expect(report).toMatchObject({ exitCode: 19, message: expect.stringContaining('no-such-host.invalid') as string });
  });

  test('because of a key without permission exits with 15', async () => {
    server.denied.add(TEST_ACCOUNT.accessKeyId);
    const report = await openingFailure(open());
    server.denied.clear();
    expect(report).toMatchObject({ exitCode: 15, message: expect.stringContaining('permission') as string });
  });

  test('because of a wrong clock exits with 2 and says by how much', async () => {
    server.clockOffsetMs = 3 * 3_600_000;
    server.http.plan({ on: /./, fault: skewed(3 * 3_600_000) });
    const report = await openingFailure(open());
    server.clockOffsetMs = 0;
    expect(report).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/clock of this machine is 3 hours behind .*timedatectl/) as string,
    });
  });

  test('because nobody listens is given up within seconds', async () => {
    await using closed = await S3Server.start();
    const { host } = closed;
    await closed[Symbol.asyncDispose]();
    expect(await openingFailure(open({ url: `s3c4://${host}/bucket/` }))).toMatchObject({
      exitCode: 1,
      message: `${host} refuses connections`,
    });
  });

  test('because it stays busy is given up within seconds', async () => {
    server.http.plan({
      on: /./,
      fault: { kind: 'answer', answer: errorAnswer(503, 'SlowDown', 'Please reduce your request rate.') },
      times: 100,
    });
    expect(await openingFailure(open())).toMatchObject({ exitCode: 1, message: expect.stringContaining('SlowDown') as string });
  });

  test('never shows the secret', async () => {
    const report = await openingFailure(open({ password: 'very-secret-indeed' }));
    expect(JSON.stringify(report)).not.toContain('very-secret-indeed');
  });

  test('at first only is opened at the second try', async () => {
    server.http.plan({ on: /./, fault: { kind: 'answer', answer: { status: 503 } }, times: 2 });
    await using backend = await open();
    expect(backend.url).toBe(`s3c4://${server.host}/bucket/`);
  });
});

describe('a store of the S3 family in trouble', () => {
  let backend: Backend;

  beforeEach(async () => {
    backend = await open();
    await backend.store('k', { a: 1 }, [Buffer.alloc(100_000, 'x')]);
    server.http.reset();
  });

  afterEach(() => backend[Symbol.asyncDispose]());

  const answer = (content: Answer): Fault => ({ kind: 'answer', answer: content });
  const error = (status: number, code: string): Fault => answer(errorAnswer(status, code, 'something happened'));

  const temporary: readonly [string, Fault][] = [
    ['an internal error', error(500, 'InternalError')],
    ['a 503 without a body', answer({ status: 503 })],
    [
      'a gateway’s page of HTML',
      answer({ status: 502, headers: { 'content-type': 'text/html' }, body: '<html><body>Bad Gateway</body></html>' }),
    ],
    ['SlowDown', error(503, 'SlowDown')],
    ['a digest that does not match', error(400, 'BadDigest')],
    ['an incomplete body', error(400, 'IncompleteBody')],
    ['a request time-out', error(400, 'RequestTimeout')],
    ['a conflict of conditional requests', error(409, 'ConditionalRequestConflict')],
    ['429', answer({ status: 429 })],
    ['408', answer({ status: 408 })],
    ['a lost connection', { kind: 'reset' }],
    ['silence', { kind: 'hang' }],
    ['a truncated body', { kind: 'truncate' }],
    ['a body that stops coming', { kind: 'stall' }],
  ];

  test.for(temporary)('with %s fails temporarily, and works the next time', async ([, fault]) => {
    server.http.plan({ on: /^GET/, fault });
    await expect(backend.fetch('k')).rejects.toMatchObject({ temporary: true });
    expect((await backend.fetch('k')).payload.byteLength).toBe(100_000);
  });

  test.for(temporary.slice(0, 12))('with %s when storing fails temporarily', async ([, fault]) => {
    server.http.plan({ on: /^PUT/, fault });
    await expect(backend.store('new', {}, [Buffer.alloc(200_000)])).rejects.toMatchObject({ temporary: true });
    await backend.store('new', {}, [Buffer.alloc(200_000)]);
  });

  test('that asks to wait is waited for: Retry-After is passed on', async () => {
    server.http.plan({ on: /^PUT/, fault: answer({ status: 503, headers: { 'retry-after': '17' } }) });
    await expect(backend.store('k', {}, [])).rejects.toMatchObject({ temporary: true, retryAfterMs: 17_000 });
    server.http.plan({
      on: /^DELETE/,
      fault: answer({ status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } }),
    });
    const failure: unknown = await backend.delete('k').catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(BackendError);
    expect((failure as BackendError).retryAfterMs).toBeGreaterThan(50_000);
  });

  test('that fails for good says so', async () => {
    for (const [fault, type] of [
      [error(403, 'AccessDenied'), PermissionError],
      [error(404, 'NoSuchBucket'), NoSuchContainerError],
      [error(403, 'RequestTimeTooSkewed'), MisconfigurationError],
    ] as const) {
      for (const [on, run] of [
        [/^GET/, () => backend.fetch('k')],
        [/^(HEAD|GET)/, () => backend.stat('k')],
        [/^PUT/, () => backend.store('k', {}, [])],
        [/^DELETE/, () => backend.delete('k')],
        [/^POST/, () => backend.deleteMany(['k'])],
      ] as const) {
        server.http.plan({ on, fault, times: on.source.includes('HEAD') ? 2 : 1 });
        await expect(run()).rejects.toThrow(type);
      }
    }
    expect(server.http.faultsLeft).toBe(0);
    const notImplemented = { on: /^PUT/, fault: error(501, 'NotImplemented') };
    server.http.plan(notImplemented);
    await expect(backend.store('k', {}, [])).rejects.toMatchObject({ temporary: false });
  });

  test('asks again by GET why it refused HEAD', async () => {
    server.http.plan({ on: /^(HEAD|GET)/, fault: error(403, 'AccessDenied'), times: 2 });
    await expect(backend.stat('k')).rejects.toThrow(PermissionError);
    server.http.plan({ on: /^HEAD/, fault: answer({ status: 400 }) });
    server.http.plan({ on: /^GET/, fault: error(400, 'ExpiredToken') });
    await expect(backend.stat('k')).rejects.toThrow(/renew/);
  });

  test('that is full says so', async () => {
    server.quotaBytes = 1000;
    await expect(backend.store('big', {}, [Buffer.alloc(2000)])).rejects.toThrow(NoSpaceError);
    server.quotaBytes = Number.POSITIVE_INFINITY;
    await backend.store('big', {}, [Buffer.alloc(2000)]);
  });

  test('that could not delete one of many tells which', async () => {
    const result = (code: string): Fault =>
      answer({ status: 200, body: `<DeleteResult><Error><Key>b</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>` });
    server.http.plan({ on: /^POST/, fault: result('InternalError') });
    await expect(backend.deleteMany(['a', 'b'])).rejects.toMatchObject({ temporary: true });
    server.http.plan({ on: /^POST/, fault: result('AccessDenied') });
    await expect(backend.deleteMany(['a', 'b'])).rejects.toThrow(PermissionError);
    server.http.plan({ on: /^POST/, fault: result('NoSuchKey') });
    await backend.deleteMany(['a', 'b']);
  });

  test('that answers a listing with something else fails temporarily', async () => {
    for (const body of ['', 'not xml', '<html></html>', '<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>']) {
      server.http.plan({ on: /^GET/, fault: answer({ status: 200, body }) });
      await expect(backend.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ temporary: true });
    }
  });

  test('that lost the answer to a conditional creation says at the second try that the object exists', async () => {
    server.http.plan({ on: /^PUT/, fault: { kind: 'lose-answer' } });
    await expect(backend.store('new', {}, [], { ifAbsent: true })).rejects.toMatchObject({ temporary: true });
    await expect(backend.store('new', {}, [], { ifAbsent: true })).rejects.toThrow('not as expected');
  });

  test('that has an object of someone else among ours calls it corrupted', async () => {
    server.buckets.get('bucket')?.set('foreign', { body: Buffer.from('x'), headers: {}, etag: '"x"', modified: new Date() });
    await expect(backend.fetch('foreign')).rejects.toMatchObject({ name: 'CorruptedObjectError', temporary: false });
  });
});

/** A refusal because of the clock, dated as the server's clock has it. */
function skewed(offsetMs: number): Fault {
  const refusal = errorAnswer(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.');
  return { kind: 'answer', answer: { ...refusal, headers: { ...refusal.headers, date: new Date(Date.now() + offsetMs).toUTCString() } } };
}
