import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';
import { TestAuthority } from '../support/servers/test-certificates.ts';
import { backendConformance } from './conformance.ts';

/** Amazon as s3:// sees it: its names and its TLS, by way of a proxy that leads them here. */
const REGION = 'eu-central-1';
const ENDPOINT = `s3.${REGION}.amazonaws.com`;
const PROXY_USER = 'proxy-user:p%40ss';

let authority: TestAuthority;
let server: S3Server;
let proxy: ForwardProxy;
let environment: Disposable;

const open = (url: string, options: string = ''): Promise<Backend> =>
  openBackend(
    backendSpec({
      url,
      login: TEST_ACCOUNT.accessKeyId,
      password: TEST_ACCOUNT.secretAccessKey,
      options: [`ssl-ca-path=${authority.certificatePath}`, options].join(','),
    }),
  );

beforeAll(async () => {
  authority = new TestAuthority();
  server = await S3Server.start({
    region: REGION,
    buckets: ['bucket', 'dotted.bucket'],
    virtualHostSuffix: ENDPOINT,
    certificate: authority.certificateFor([ENDPOINT, `*.${ENDPOINT}`]),
  });
  proxy = await ForwardProxy.start({
    credentials: 'proxy-user:p@ss',
    route: (host) => (host.endsWith('.amazonaws.com') ? server.http.port : undefined),
  });
  environment = withEnvironment({ https_proxy: `http://${PROXY_USER}@127.0.0.1:${proxy.port}`, no_proxy: undefined, NO_PROXY: undefined });
});

beforeEach(() => {
  server.clear();
  server.http.reset();
  proxy.requests.length = 0;
});

afterAll(async () => {
  environment[Symbol.dispose]();
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

backendConformance('s3', () => open(`s3://${REGION}/bucket/prefix-`));

describe('s3://', () => {
  test('a bucket is addressed by its host name, through the proxy and TLS', async () => {
    await using backend = await open(`s3://${REGION}/bucket/`);
    await backend.store('k', {}, [Buffer.from('x')]);
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT bucket.${ENDPOINT}:443`]));
    expect(server.http.requests.at(-1)).toMatchObject({
      method: 'PUT',
      path: '/k',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
  });

  test('a bucket with a dot in its name is addressed by the path: the certificate fits no other way', async () => {
    await using backend = await open(`s3://${REGION}/dotted.bucket/`);
    await backend.store('k', {}, [Buffer.from('x')]);
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT ${ENDPOINT}:443`]));
    expect(server.names('dotted.bucket')).toEqual(['k']);
  });

  test.for([
    ['', 'STANDARD'],
    ['ia', 'STANDARD_IA'],
    ['oia', 'ONEZONE_IA'],
    ['rrs', 'REDUCED_REDUNDANCY'],
    ['it', 'INTELLIGENT_TIERING'],
    ['rrs,ia,it,oia', 'STANDARD_IA'],
  ] as const)('options "%s" give the storage class %s', async ([options, storageClass]) => {
    await using backend = await open(`s3://${REGION}/bucket/`, options);
    await backend.store('k', {}, []);
    expect(server.http.requests.at(-1)?.headers['x-amz-storage-class']).toBe(storageClass);
    expect(server.http.requests.at(-1)?.headers).not.toHaveProperty('x-amz-server-side-encryption');
  });

  test('sse asks Amazon to encrypt', async () => {
    await using backend = await open(`s3://${REGION}/bucket/`, 'sse');
    await backend.store('k', {}, []);
    expect(server.http.requests.at(-1)?.headers['x-amz-server-side-encryption']).toBe('AES256');
  });

  test('no-ssl goes to port 80 without TLS and with signed bodies', async () => {
    await using plain = await S3Server.start({ region: REGION, virtualHostSuffix: ENDPOINT });
    await using plainProxy = await ForwardProxy.start({ route: () => plain.http.port });
    using _ = withEnvironment({ http_proxy: `127.0.0.1:${plainProxy.port}` });
    await using backend = await open(`s3://${REGION}/bucket/`, 'no-ssl');
    await backend.store('k', {}, [Buffer.from('x')]);
    expect(new Set(plainProxy.requests)).toEqual(new Set([`GET bucket.${ENDPOINT}:80`, `PUT bucket.${ENDPOINT}:80`]));
    expect(plain.http.requests.at(-1)?.headers.host).toBe(`bucket.${ENDPOINT}`);
    expect(plain.names()).toEqual(['k']);
  });

  test('hosts in no_proxy are reached without the proxy', async () => {
    await using plain = await S3Server.start();
    using _ = withEnvironment({ http_proxy: `127.0.0.1:${proxy.port}`, no_proxy: 'example.com, 127.0.0.1' });
    await using backend = await openBackend(
      backendSpec({
        url: `s3c4://${plain.host}/bucket/`,
        login: TEST_ACCOUNT.accessKeyId,
        password: TEST_ACCOUNT.secretAccessKey,
        options: 'no-ssl',
      }),
    );
    await backend.store('k', {}, []);
    expect([plain.names(), proxy.requests]).toEqual([['k'], []]);
  });

  test('the wrong region exits with 2 and names the right one', async () => {
    server.region = 'us-west-2';
    const result = await openingFailure(open(`s3://${REGION}/bucket/data`));
    server.region = REGION;
    expect(result.exitCode).toBe(2);
    expect(result.message).toContain('s3://us-west-2/bucket/data');
  });

  test('a permanent redirect to another region exits with 2 and names it', async () => {
    const redirect = {
      status: 301,
      headers: { 'x-amz-bucket-region': 'ap-south-1', 'content-type': 'application/xml' },
      body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.</Message><Endpoint>bucket.s3.ap-south-1.amazonaws.com</Endpoint><Bucket>bucket</Bucket></Error>',
    };
    server.http.plan({ on: /^GET/, fault: { kind: 'answer', answer: redirect } });
    const result = await openingFailure(open(`s3://${REGION}/bucket/`));
    expect(result.exitCode).toBe(2);
    expect(result.message).toContain('s3://ap-south-1/bucket/');
  });

  test('a temporary redirect, as for a new bucket, is followed', async () => {
    const redirect = { status: 307, headers: { location: `https://bucket.s3.eu-central-1.amazonaws.com/?elsewhere` } };
    server.http.plan({ on: /^PUT/, fault: { kind: 'answer', answer: redirect }, times: 2 });
    await using backend = await open(`s3://${REGION}/bucket/`);
    await backend.store('k', {}, [Buffer.from('x')]);
    expect(server.http.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3);
    expect(server.names()).toEqual(['k']);
  });

  test('a certificate that nobody trusts exits with 2 and names the option', async () => {
    const opening = openBackend(backendSpec({ url: `s3://${REGION}/bucket/`, login: 'x', password: 'y' }));
    const result = await openingFailure(opening);
    expect(result.exitCode).toBe(2);
    expect(result.message).toContain('ssl-ca-path');
  });

  test.for([
    ['https_proxy', ''],
    ['http_proxy', 'no-ssl'],
  ] as const)('a proxy in %s that wants other credentials exits with 2 and says what to set', async ([variable, options]) => {
    using _ = withEnvironment({ [variable]: `127.0.0.1:${proxy.port}` });
    const result = await openingFailure(open(`s3://${REGION}/bucket/`, options));
    expect(result.exitCode).toBe(2);
    expect(result.message).toContain('user:password@');
  });

  test('a proxy that cannot reach the store is reported as such', async () => {
    await using useless = await ForwardProxy.start({ route: () => undefined });
    using _ = withEnvironment({ https_proxy: `127.0.0.1:${useless.port}` });
    const { message } = await openingFailure(open(`s3://${REGION}/bucket/`));
    expect(message).toContain(`The proxy cannot reach bucket.${ENDPOINT}`);
  });

  test('a proxy variable that is no proxy exits with 13 and does not show its password', async () => {
    using _ = withEnvironment({ https_proxy: 'socks5://user:hidden@host:1080' });
    const result = await openingFailure(open(`s3://${REGION}/bucket/`));
    expect(result.exitCode).toBe(13);
    expect(result.message).not.toContain('hidden');
  });
});
