import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { fetchWith } from '../../src/backends/http/fetch-with.ts';
import { HttpClient } from '../../src/backends/http/http-client.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { AzuriteServer } from '../support/servers/azurite-server.ts';
import { LoopbackServer, type Answer, type ServedRequest } from '../support/servers/loopback-server.ts';
import { TestAuthority } from '../support/servers/test-certificates.ts';
import { backendConformance } from './conformance.ts';

const HOUR_MS = 3_600_000;

let authority: TestAuthority;
let server: AzuriteServer;
let http: HttpClient;
let containers = 0;

beforeAll(async () => {
  authority = new TestAuthority();
  server = await AzuriteServer.start({ certificate: authority.certificateFor(['127.0.0.1']) });
  http = new HttpClient({ maxConnections: 1, timeoutMs: 20_000, caPath: authority.certificatePath, environment: {} });
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

async function newContainer(): Promise<string> {
  containers += 1;
  await server.createContainer(`container-${containers}`, fetchWith(http));
  return `container-${containers}`;
}

function openAt(container: string, more: Partial<BackendRequest> = {}, options: string = ''): Promise<Backend> {
  return openBackend(
    backendSpec({
      url: `azure://${server.account}/${container}/prefix/`,
      login: 'key',
      password: server.key,
      options: `endpoint=${server.endpoint},ssl-ca-path=${authority.certificatePath},${options}`,
      ...more,
    }),
  );
}

/** What comes back of `{ a: 1 }`, after many were deleted at once. */
async function roundTrip(backend: Backend): Promise<unknown> {
  for (const key of ['k', 'l', 'm']) await backend.store(key, { a: 1 }, [Buffer.from('x')]);
  await backend.deleteMany(['l', 'm', 'missing']);
  const found = await Array.fromAsync(backend.list(''), async ({ key }) => [key, (await backend.fetch(key)).metadata]);
  return Object.fromEntries(found);
}
const INTACT = { k: { a: 1 } };

backendConformance('azure', async () => openAt(await newContainer()));

describe('azure://', () => {
  test('the account’s name is a login, too', async () => {
    await using backend = await openAt(await newContainer(), { login: server.account });
    expect(await roundTrip(backend)).toEqual(INTACT);
  });

  test('a shared access signature for one container is enough', async () => {
    const container = await newContainer();
    const password = `?${server.containerSas(container, 'racwdl', new Date(Date.now() + HOUR_MS))}`;
    await using backend = await openAt(container, { login: 'sas', password });
    expect(await roundTrip(backend)).toEqual(INTACT);
  });

  test('without a login the variables of Azure’s tools are read', async () => {
    const container = await newContainer();
    const none = { login: undefined, password: undefined };
    {
      using _ = withEnvironment({ AZURE_STORAGE_KEY: server.key });
      await using backend = await openAt(container, none);
      expect(await roundTrip(backend)).toEqual(INTACT);
    }
    using _ = withEnvironment({ AZURE_STORAGE_SAS_TOKEN: server.containerSas(container, 'racwdl', new Date(Date.now() + HOUR_MS)) });
    await using backend = await openAt(container, none);
    expect(await roundTrip(backend)).toEqual(INTACT);
  });
});

describe('azure:// with Entra', () => {
  const secret = 'app secret: 1/2+3';
  const assertion = 'token of the workload';
  const directory = mkdtempSync(join(tmpdir(), 's3ql-entra-'));
  const tokenFile = join(directory, 'token');
  let entra: LoopbackServer;
  /** Answers that come first. */
  let refusals: Answer[];

  beforeAll(async () => {
    writeFileSync(tokenFile, `${assertion}\n`);
    entra = await LoopbackServer.start((request) => refusals.shift() ?? tokenAnswer(request));
  });

  beforeEach(() => {
    refusals = [];
    entra.requests.length = 0;
  });

  afterAll(async () => {
    await entra[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  /** Entra's token service and the metadata service of a virtual machine, as documented. */
  function tokenAnswer({ method, path, query, headers, body }: ServedRequest): Answer {
    const form = new URLSearchParams(body.toString());
    const entraAccepts =
      method === 'POST' &&
      path === '/tenant-1/oauth2/v2.0/token' &&
      headers['content-type'] === 'application/x-www-form-urlencoded' &&
      form.get('grant_type') === 'client_credentials' &&
      form.get('client_id') === 'client-1' &&
      form.get('scope') === 'https://storage.azure.com/.default' &&
      (form.get('client_secret') === secret ||
        (form.get('client_assertion') === assertion &&
          form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'));
    const machineAccepts =
      method === 'GET' &&
      path === '/metadata/identity/oauth2/token' &&
      headers['metadata'] === 'true' &&
      query.get('api-version') === '2018-02-01' &&
      query.get('resource') === 'https://storage.azure.com';
    if (entraAccepts || machineAccepts) return json(200, { token_type: 'Bearer', access_token: accessToken(), expires_in: 3599 });
    return json(401, {
      error: 'invalid_client',
      error_description: 'AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2',
    });
  }

  const entraOptions = (): string => `tenant-id=tenant-1,client-id=client-1,authority-host=${entra.origin}`;

  test('an application logs in with its secret, once for many requests', async () => {
    await using backend = await openAt(await newContainer(), { login: 'client-secret', password: secret }, entraOptions());
    expect(await roundTrip(backend)).toEqual(INTACT);
    expect(entra.requests).toHaveLength(1);
  });

  test('a workload exchanges the token of its file', async () => {
    using _ = withEnvironment({ AZURE_FEDERATED_TOKEN_FILE: tokenFile });
    for (const login of ['workload-identity', undefined]) {
      await using backend = await openAt(await newContainer(), { login, password: undefined }, entraOptions());
      expect(await roundTrip(backend)).toEqual(INTACT);
    }
  });

  test('a machine uses its identity, found without a login, too', async () => {
    // No command line of Azure's in PATH.
    using _ = withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.origin, PATH: directory });
    for (const login of ['managed-identity', undefined]) {
      await using backend = await openAt(await newContainer(), { login, password: undefined });
      expect(await roundTrip(backend)).toEqual(INTACT);
    }
  });

  test('a token that Azure refuses is replaced', async () => {
    refusals.push(json(200, { access_token: accessToken({ exp: 1000 }), expires_in: 3599 }));
    await using backend = await openAt(await newContainer(), { login: 'client-secret', password: secret }, entraOptions());
    expect(await roundTrip(backend)).toEqual(INTACT);
    expect(entra.requests).toHaveLength(2);
  });

  test('a wrong secret exits with 14 and says so; the secret is not shown', async () => {
    const report = await openingFailure(openAt('container', { login: 'client-secret', password: 'wrong' }, entraOptions()));
    expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('Invalid client secret provided') as string });
    expect(report.message).not.toContain('Trace ID');
  });

  test('without any credentials it exits with 14 and says what to set', async () => {
    using _ = withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1', PATH: directory });
    const report = await openingFailure(openAt('container', { login: undefined, password: undefined }));
    expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('backend-login') as string });
  });
});

describe('azure:// cannot be opened', () => {
  test('with a wrong key: exit code 14', async () => {
    const report = await openingFailure(openAt(await newContainer(), { password: Buffer.alloc(64).toString('base64') }));
    expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('backend-password') as string });
  });

  test('with what is no key at all: exit code 14', async () => {
    expect(await openingFailure(openAt('container', { password: 'not base64' }))).toMatchObject({ exitCode: 14 });
  });

  test('with a signature that has expired: exit code 14', async () => {
    const container = await newContainer();
    const password = server.containerSas(container, 'racwdl', new Date(Date.now() - HOUR_MS));
    expect(await openingFailure(openAt(container, { login: 'sas', password }))).toMatchObject({ exitCode: 14 });
  });

  test('with a signature that does not allow listing: exit code 15', async () => {
    const container = await newContainer();
    const password = server.containerSas(container, 'r', new Date(Date.now() + HOUR_MS));
    expect(await openingFailure(openAt(container, { login: 'sas', password }))).toMatchObject({ exitCode: 15 });
  });

  test('without the container: exit code 16, and it is named', async () => {
    expect(await openingFailure(openAt('no-such-container'))).toMatchObject({
      exitCode: 16,
      message: expect.stringContaining('no-such-container') as string,
    });
  });

  test('with a login that means nothing: exit code 2', async () => {
    expect(await openingFailure(openAt('container', { login: 'someone' }))).toMatchObject({ exitCode: 2 });
  });

  test('when the account does not exist: exit code 19', async () => {
    const opening = openBackend(
      backendSpec({ url: 'azure://account/container', login: 'key', password: server.key, options: 'endpoint=https://account.invalid' }),
    );
    expect(await openingFailure(opening)).toMatchObject({ exitCode: 19 });
  });
});

function accessToken(claims: Readonly<Record<string, unknown>> = {}): string {
  const nowS = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/',
    iat: nowS,
    nbf: 0,
    exp: nowS + 3600,
    ...claims,
  };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(payload)}.c2lnbmF0dXJl`;
}

function json(status: number, value: object): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
