import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { metadataToHeaders } from '../../src/backends/metadata-headers.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { GS_BUCKET, gsErrorAnswer, GsServer, startTokenServer } from '../support/servers/gs-server.ts';
import type { Answer, Fault, LoopbackServer } from '../support/servers/loopback-server.ts';
import { TestAuthority } from '../support/servers/test-certificates.ts';
import { backendConformance } from './conformance.ts';

/** Google by its own names and TLS, by way of a proxy that leads them here. */
const CLIENT = { client_id: 'client-1.apps.googleusercontent.com', client_secret: 'client-secret' };
const REFRESH_TOKEN = '1//refresh-token';
const ACCOUNT_EMAIL = 'backup@project.iam.gserviceaccount.com';

let authority: TestAuthority;
let store: GsServer;
let tokenServer: LoopbackServer;
let proxy: ForwardProxy;
let environment: Disposable;
let directory: string;
let tokenCount = 0;
let expiresInS = 3600;

const file = (name: string): string => join(directory, name);
const tokenRequests = (): number => tokenServer.requests.length;

const open = (request: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(
    backendSpec({
      url: `gs://${GS_BUCKET}/prefix/`,
      login: 'oauth2',
      password: REFRESH_TOKEN,
      options: `ssl-ca-path=${authority.certificatePath},oauth-client=${file('client.json')},tcp-timeout=2`,
      ...request,
    }),
  );

beforeAll(async () => {
  authority = new TestAuthority();
  directory = mkdtempSync(join(tmpdir(), 's3ql-gs-'));
  const certificate = authority.certificateFor(['storage.googleapis.com', 'oauth2.googleapis.com']);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file('client.json'), JSON.stringify({ installed: { ...CLIENT, token_uri: 'https://oauth2.googleapis.com/token' } }));
  const account = {
    type: 'service_account',
    client_email: ACCOUNT_EMAIL,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    private_key_id: 'key-1',
    token_uri: 'https://oauth2.googleapis.com/token',
  };
  writeFileSync(file('account.json'), JSON.stringify(account));
  writeFileSync(file('user.json'), JSON.stringify({ type: 'authorized_user', ...CLIENT, refresh_token: REFRESH_TOKEN }));
  store = await GsServer.start(certificate);
  tokenServer = await startTokenServer({
    certificate,
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    refreshToken: REFRESH_TOKEN,
    serviceAccount: { email: ACCOUNT_EMAIL, publicKey },
    get expiresInS() {
      return expiresInS;
    },
    nextToken: () => {
      tokenCount += 1;
      store.tokens.add(`token-${tokenCount}`);
      return `token-${tokenCount}`;
    },
  });
  const routes = new Map([
    ['storage.googleapis.com', store.http.port],
    ['oauth2.googleapis.com', tokenServer.port],
  ]);
  proxy = await ForwardProxy.start({ route: (host) => routes.get(host) });
  environment = withEnvironment({
    https_proxy: `127.0.0.1:${proxy.port}`,
    no_proxy: undefined,
    NO_PROXY: undefined,
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    METADATA_SERVER_DETECTION: 'none',
    HOME: directory,
  });
});

beforeEach(() => {
  store.objects.clear();
  store.http.reset();
  tokenServer.reset();
  expiresInS = 3600;
});

afterAll(async () => {
  environment[Symbol.dispose]();
  await proxy[Symbol.asyncDispose]();
  await tokenServer[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
  authority[Symbol.dispose]();
});

backendConformance('gs', open);

/** What comes back of `{ a: 1 }`. */
async function roundTrip(backend: Backend): Promise<unknown> {
  await backend.store('k', { a: 1 }, [Buffer.from('x')]);
  return (await backend.fetch('k')).metadata;
}

const answer = (content: Answer): Fault => ({ kind: 'answer', answer: content });

describe('gs:// is opened with', () => {
  test('a refresh token', async () => {
    await using backend = await open();
    expect(await roundTrip(backend)).toEqual({ a: 1 });
    expect([...store.objects.keys()]).toEqual(['prefix/k']);
  });

  test('a service account by its key file', async () => {
    await using backend = await open({ login: 'service-account', password: file('account.json') });
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });

  test.for(['account.json', 'user.json'])('application default credentials from %s', async (name) => {
    using _ = withEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: file(name) });
    await using backend = await open({ login: 'adc', password: 'anything' });
    expect(await roundTrip(backend)).toEqual({ a: 1 });
    await using withoutLogin = await open({ login: undefined, password: undefined });
    expect(await roundTrip(withoutLogin)).toEqual({ a: 1 });
  });
});

describe('gs:// cannot be opened', () => {
  test.for([
    ['with a revoked refresh token', { password: 'revoked' }, 14, 'expired or revoked'],
    ['with another login', { login: 'anna' }, 2, 'service-account'],
    ['with a key file that is not there', { login: 'service-account', password: '/nowhere' }, 2, '/nowhere'],
    ['without default credentials', { login: 'adc' }, 14, 'gcloud auth application-default login'],
    ['with a malformed URL', { url: 'gs://UPPER/x' }, 2, 'gs://<bucket>'],
    ['for a bucket that does not exist', { url: 'gs://other-bucket/x' }, 16, 'other-bucket does not exist'],
    ['without an OAuth client', { options: 'oauth-client=/nowhere' }, 2, 'oauth-client=FILE'],
  ] as const)('%s; that exits with the right code and says what to do', async ([, request, exitCode, words]) => {
    const report = await openingFailure((async () => open(request))());
    expect(report).toMatchObject({ exitCode, message: expect.stringContaining(words) as string });
  });

  test('without permission: exit code 15', async () => {
    const denial = gsErrorAnswer(
      403,
      'forbidden',
      'backup@project does not have storage.objects.list access to the Google Cloud Storage bucket.',
    );
    store.http.plan({ on: /./, fault: answer(denial) });
    expect(await openingFailure(open())).toMatchObject({
      exitCode: 15,
      message: expect.stringContaining('Storage Object Admin') as string,
    });
  });

  test('with a wrong clock: exit code 2', async () => {
    const description =
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
    tokenServer.plan({
      on: /./,
      fault: answer({ status: 400, body: JSON.stringify({ error: 'invalid_grant', error_description: description }) }),
    });
    const opening = open({ login: 'service-account', password: file('account.json') });
    expect(await openingFailure(opening)).toMatchObject({ exitCode: 2, message: expect.stringContaining('timedatectl') as string });
  });

  test('by an untrusted certificate: exit code 2, also if it is that of the token service', async () => {
    expect(await openingFailure(open({ options: `oauth-client=${file('client.json')}` }))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('ssl-ca-path') as string,
    });
  });

  test('while the token service is down, but at the next try', async () => {
    tokenServer.plan({ on: /./, fault: answer({ status: 503 }), times: 2 });
    await using backend = await open();
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });
});

describe('gs:// in use', () => {
  let backend: Backend;

  beforeEach(async () => {
    backend = await open();
    await backend.store('k', { a: 1 }, [Buffer.alloc(50_000, 'x')]);
    store.http.reset();
    tokenServer.reset();
  });

  afterEach(() => backend[Symbol.asyncDispose]());

  test('keeps its token for many requests', async () => {
    await Promise.all(Array.from({ length: 10 }, () => backend.stat('k')));
    expect(tokenRequests()).toBe(0);
  });

  test('renews a token that is about to expire', async () => {
    expiresInS = 200;
    await using fresh = await open();
    const before = tokenRequests();
    await fresh.stat('k');
    expect(tokenRequests()).toBeGreaterThan(before);
  });

  test('renews a token that is refused, once for all requests', async () => {
    store.tokens.clear();
    await Promise.all(Array.from({ length: 10 }, () => backend.stat('k')));
    expect(tokenRequests()).toBe(1);
  });

  test.for([
    ['429', answer(gsErrorAnswer(429, 'rateLimitExceeded', 'The rate of change requests is too high.'))],
    ['a rate limit as 403', answer(gsErrorAnswer(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded'))],
    ['503', answer(gsErrorAnswer(503, 'backendError', 'Backend Error'))],
    ['502 with a page of HTML', answer({ status: 502, body: '<html>' })],
    ['a lost connection', { kind: 'reset' }],
    ['a truncated answer', { kind: 'truncate' }],
    ['silence', { kind: 'hang' }],
  ] as const)('%s is temporary', async ([, fault]) => {
    for (const on of [/fields/, /alt=media/]) {
      store.http.plan({ on, fault });
      await expect(backend.fetch('k')).rejects.toMatchObject({ temporary: true });
      expect((await backend.fetch('k')).payload.byteLength).toBe(50_000);
    }
    store.http.plan({ on: /^POST/, fault });
    await expect(backend.store('k', {}, [])).rejects.toMatchObject({ temporary: true });
  });

  test('an answer that is no JSON is temporary', async () => {
    const html = answer({ status: 200, body: '<html>' });
    for (const run of [() => backend.stat('k'), () => backend.store('k', {}, []), () => backend.list('')[Symbol.asyncIterator]().next()]) {
      store.http.plan({ on: /./, fault: html });
      await expect(run()).rejects.toMatchObject({ temporary: true });
    }
  });

  test('reads metadata and payload of one and the same object, however often it is replaced meanwhile', async () => {
    const stale = { status: 200, headers: { 'x-goog-generation': '1' }, body: 'an older payload' };
    store.http.plan({ on: /alt=media/, fault: answer(stale), times: 3 });
    expect((await backend.fetch('k')).payload.byteLength).toBe(50_000);
    store.http.plan({ on: /alt=media/, fault: answer({ status: 404 }) });
    expect((await backend.fetch('k')).payload.byteLength).toBe(50_000);
  });

  test('tells a bucket that vanished from an object that did', async () => {
    const gone = answer(gsErrorAnswer(404, 'notFound', 'The specified bucket does not exist.'));
    for (const run of [() => backend.stat('k'), () => backend.delete('k'), () => backend.store('k', {}, [])]) {
      store.http.plan({ on: /./, fault: gone });
      await expect(run()).rejects.toMatchObject({ name: 'NoSuchContainerError' });
    }
  });

  test('reads metadata in the layout of old versions', async () => {
    const headers = metadataToHeaders({ a: 1, b: 'x' }, { prefix: 'x-amz-meta-' });
    const metadata = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('x-amz-meta-', ''), value]));
    const object = store.objects.get('prefix/k');
    if (object !== undefined) store.objects.set('prefix/k', { ...object, metadata });
    expect(Object.keys(metadata)).toEqual(['000', '001', 'format', 'md5']);
    expect((await backend.stat('k')).metadata).toEqual({ a: 1, b: 'x' });
  });

  test('lists small pages to the end', async () => {
    store.pageSize = 2;
    for (const key of ['a', 'b', 'c', 'd']) await backend.store(key, {}, []);
    const keys = await Array.fromAsync(backend.list(''), ({ key }) => key);
    store.pageSize = 1000;
    expect(keys).toEqual(['a', 'b', 'c', 'd', 'k']);
  });
});
