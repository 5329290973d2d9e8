import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { LoopbackServer, type Answer, type ServedRequest } from '../support/servers/loopback-server.ts';
import { S3Server } from '../support/servers/s3-server.ts';
import { TestAuthority } from '../support/servers/test-certificates.ts';
import { backendConformance } from './conformance.ts';

/**
 * Backblaze by its own names, TLS included. The answer is the documented example of b2_authorize_account, version 4, with our bucket:
 * https://www.backblaze.com/apidocs/b2-authorize-account
 */
const KEY = { accessKeyId: '0035a2f0b1c2d3e0000000001', secretAccessKey: 'K003abcdefghijklmnopqrstuvwxyzA' };
const AUTHORIZATION = {
  accountId: '5a2f0b1c2d3e',
  apiInfo: {
    storageApi: {
      absoluteMinimumPartSize: 5_000_000,
      allowed: {
        buckets: [{ id: 'a71f544e781e6891531b001a', name: 'my-bucket' }],
        capabilities: ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles', 'shareFiles'],
        namePrefix: null,
      },
      apiUrl: 'https://api003.backblazeb2.com',
      downloadUrl: 'https://f003.backblazeb2.com',
      recommendedPartSize: 100_000_000,
      s3ApiUrl: 'https://s3.eu-central-003.backblazeb2.com',
    },
  },
  applicationKeyExpirationTimestamp: null,
  authorizationToken: '4_0022623512fc8f80000000001_0186e431_d18d02_acct_tH7VW03boebOXayIc43-sxptpfA=',
};

let authority: TestAuthority;
let store: S3Server;
let api: LoopbackServer;
let proxy: ForwardProxy;
let environment: Disposable;
let authorization: unknown = AUTHORIZATION;

function authorize(request: ServedRequest): Answer {
  const expected = `Basic ${Buffer.from(`${KEY.accessKeyId}:${KEY.secretAccessKey}`).toString('base64')}`;
  if (request.target !== '/b2api/v4/b2_authorize_account') return { status: 404 };
  if (request.headers.authorization !== expected) {
    return {
      status: 401,
      body: JSON.stringify({ code: 'unauthorized', message: 'The applicationKeyId and/or the applicationKey are wrong.', status: 401 }),
    };
  }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(authorization) };
}

const open = (request: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(
    backendSpec({
      url: 'b2://my-bucket/prefix/',
      login: KEY.accessKeyId,
      password: KEY.secretAccessKey,
      options: `ssl-ca-path=${authority.certificatePath}`,
      ...request,
    }),
  );

beforeAll(async () => {
  authority = new TestAuthority();
  const certificate = authority.certificateFor(['*.backblazeb2.com', 's3.eu-central-003.backblazeb2.com']);
  store = await S3Server.start({
    accounts: [KEY],
    buckets: ['my-bucket'],
    region: 'eu-central-003',
    certificate,
    lacks: ['conditional-put'],
  });
  api = await LoopbackServer.start(authorize, certificate);
  const routes = new Map([
    ['api.backblazeb2.com', api.port],
    ['s3.eu-central-003.backblazeb2.com', store.http.port],
  ]);
  proxy = await ForwardProxy.start({ route: (host) => routes.get(host) });
  environment = withEnvironment({ https_proxy: `127.0.0.1:${proxy.port}`, no_proxy: undefined, NO_PROXY: undefined });
});

beforeEach(() => store.clear('my-bucket'));

afterEach(() => {
  authorization = AUTHORIZATION;
});

afterAll(async () => {
  environment[Symbol.dispose]();
  await proxy[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

backendConformance('b2', open);

describe('b2://', () => {
  test('the account tells the endpoint; objects lie under the prefix', async () => {
    await using backend = await open();
    await backend.store('k', {}, []);
    expect(store.names('my-bucket')).toEqual(['prefix/k']);
    expect(backend.capabilities).toMatchObject({ conditionalCreate: false, conditionalReplace: false });
  });

  test('objects written by the old native interface are read', async () => {
    await using backend = await open();
    await backend.store('k', { format_version: 2 }, [Buffer.from('x')]);
    const objects = store.buckets.get('my-bucket');
    const object = objects?.get('prefix/k');
    const headers = Object.entries(object?.headers ?? {}).map(([name, value]) => [name.replace('x-amz-meta-', 'x-amz-meta-meta-'), value]);
    if (object !== undefined) objects?.set('prefix/k', { ...object, headers: Object.fromEntries(headers) as Record<string, string> });
    expect((await backend.fetch('k')).metadata).toEqual({ format_version: 2 });
  });

  test('a wrong application key exits with 14', async () => {
    expect(await openingFailure(open({ password: 'wrong' }))).toMatchObject({
      exitCode: 14,
      message: expect.stringContaining('backend-login') as string,
    });
  });

  test('a key that may not delete exits with 15 and says what it lacks', async () => {
    const { storageApi } = AUTHORIZATION.apiInfo;
    authorization = {
      apiInfo: {
        storageApi: { ...storageApi, allowed: { ...storageApi.allowed, capabilities: ['listBuckets', 'listFiles', 'readFiles'] } },
      },
    };
    expect(await openingFailure(open())).toMatchObject({
      exitCode: 15,
      message: expect.stringContaining('writeFiles, deleteFiles') as string,
    });
  });

  test('a key for another bucket exits with 16 and names that', async () => {
    expect(await openingFailure(open({ url: 'b2://other-bucket' }))).toMatchObject({
      exitCode: 16,
      message: expect.stringContaining('my-bucket') as string,
    });
  });

  test('an answer that is no JSON is no crash', async () => {
    api.plan({ on: /./, fault: { kind: 'answer', answer: { status: 200, body: '<html>' } }, times: 10 });
    expect(await openingFailure(open())).toMatchObject({ exitCode: 1, message: expect.stringContaining('JSON') as string });
    api.reset();
  });

  test('a URL without a bucket exits with 2', async () => {
    const opening = async (): Promise<Backend> => open({ url: 'b2://' });
    expect(await openingFailure(opening())).toMatchObject({ exitCode: 2 });
  });
});
