import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { KEYSTONE_PROJECT, KEYSTONE_USER, startKeystoneDouble } from '../support/servers/keystone-double.ts';
import type { Answer, LoopbackServer } from '../support/servers/loopback-server.ts';
import { startRelay } from '../support/servers/relay-server.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from '../support/servers/swift-server.ts';

/** How to get into Swift, and what happens when one may not; with OpenStack's Swift behind a relay that makes trouble. */
let server: SwiftServer;
let relay: LoopbackServer;
let host: string;

beforeAll(async () => {
  server = await SwiftServer.start();
  relay = await startRelay(Number(server.host.split(':')[1]));
  host = relay.origin.slice('http://'.length);
  await server.createContainer('c');
});

beforeEach(() => relay.reset());

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const open = (request: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(
    backendSpec({ url: `swift://${host}/c/`, login: SWIFT_USER, password: SWIFT_KEY, options: 'no-ssl,tcp-timeout=5', ...request }),
  );

/** What comes back of `{ a: 1 }`. */
async function roundTrip(backend: Backend): Promise<unknown> {
  await backend.store('round trip', { a: 1 }, [Buffer.from('x')]);
  const { metadata } = await backend.fetch('round trip');
  await backend.delete('round trip');
  return metadata;
}

const answer = (content: Answer): { kind: 'answer'; answer: Answer } => ({ kind: 'answer', answer: content });

describe('swift://', () => {
  test('a login with the path /v1.0 is tried before that of tempauth', async () => {
    await using backend = await open();
    expect(relay.requests.slice(0, 2).map(({ path }) => path)).toEqual(['/v1.0', '/auth/v1.0']);
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });

  test.for([
    ['a wrong key', { password: 'wrong' }, 14, 'backend-password'],
    ['an unknown user', { login: 'test:nobody' }, 14, 'backend-login'],
    ['a user who may not', { login: 'test:reader', password: 'reading' }, 15, 'denies access'],
    ['TLS where there is none', { options: '' }, 2, 'no-ssl'],
    ['a URL without container', { url: 'swift://127.0.0.1' }, 2, 'swift://<host>'],
    ['an option of Keystone', { options: 'no-ssl,domain=default' }, 3, 'domain'],
  ] as const)('%s exits with the right code and names the cure', async ([, request, exitCode, words]) => {
    const report = await openingFailure((async () => open(request))());
    expect(report).toMatchObject({ exitCode, message: expect.stringContaining(words) as string });
  });

  test('a container that does not exist exits with 16', async () => {
    const report = await openingFailure(open({ url: `swift://${host}/missing/` }));
    expect(report).toMatchObject({ exitCode: 16, message: expect.stringContaining('Container missing does not exist') as string });
  });

  test('a host that speaks HTTP, but not Swift, exits with 2', async () => {
    relay.plan({ on: /v1\.0/, fault: answer({ status: 404 }), times: 2 });
    expect(await openingFailure(open())).toMatchObject({ exitCode: 2, message: expect.stringContaining('swiftks://') as string });
  });

  test('no-feature-detection asks nothing and deletes one by one', async () => {
    await using backend = await open({ options: 'no-ssl,no-feature-detection,disable-expect100' });
    await backend.deleteMany(['a', 'b']);
    expect(backend.capabilities.batchDelete).toBe(1);
    expect(relay.requests.map(({ path }) => path)).not.toContain('/info');
    expect(relay.requests.slice(-2).map(({ method }) => method)).toEqual(['DELETE', 'DELETE']);
  });

  test('a store without /info is one without features', async () => {
    relay.plan({ on: /info/, fault: answer({ status: 404 }) });
    await using backend = await open();
    expect(backend.capabilities.batchDelete).toBe(1);
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });

  test('a store that allows short headers only gets short ones', async () => {
    const info = { swift: { max_meta_value_length: 20 }, bulk_delete: { max_deletes_per_request: 2 } };
    relay.plan({ on: /info/, fault: answer({ status: 200, body: JSON.stringify(info) }) });
    await using backend = await open();
    await backend.store('k', { long: 'x'.repeat(100) }, []);
    const put = relay.requests.at(-1)?.headers ?? {};
    const chunks = Object.entries(put).filter(([name]) => /^x-object-meta-\d/.test(name));
    expect(chunks.map(([, value]) => String(value).length)).toEqual([20, 20, 20, 20, 20, 11]);
    expect((await backend.stat('k')).metadata).toEqual({ long: 'x'.repeat(100) });
    await backend.deleteMany(['k', 'l', 'm']);
    expect(relay.requests.filter(({ rawQuery }) => rawQuery.startsWith('bulk-delete'))).toHaveLength(2);
  });

  describe('when a token has expired', () => {
    let backend: Backend;

    beforeEach(async () => {
      backend = await open();
      await backend.store('k', { a: 1 }, [Buffer.from('x')]);
      relay.reset();
    });

    afterEach(() => backend[Symbol.asyncDispose]());

    const logins = (): number => relay.requests.filter(({ path }) => path === '/auth/v1.0').length;

    test('a new one is fetched and the request sent again', async () => {
      relay.plan({ on: /^GET \/v1\//, fault: answer({ status: 401 }) });
      expect((await backend.fetch('k')).metadata).toEqual({ a: 1 });
      expect(logins()).toBe(1);
    });

    test('many requests at once log in once', async () => {
      relay.plan({ on: /^HEAD/, fault: answer({ status: 401 }), times: 8 });
      await Promise.all(Array.from({ length: 8 }, () => backend.stat('k')));
      expect(logins()).toBe(1);
    });

    test('and the login fails, too, that is temporary: the identity service may recover', async () => {
      relay.plan({ on: /^HEAD/, fault: answer({ status: 401 }) });
      relay.plan({ on: /auth/, fault: answer({ status: 401 }) });
      await expect(backend.stat('k')).rejects.toMatchObject({ temporary: true });
      expect((await backend.stat('k')).metadata).toEqual({ a: 1 });
    });

    test('within a bulk deletion, that works as well', async () => {
      relay.plan({ on: /bulk-delete/, fault: answer({ status: 401 }) });
      await backend.deleteMany(['k']);
      await expect(backend.stat('k')).rejects.toMatchObject({ name: 'NoSuchObjectError' });
    });
  });

  describe('in trouble', () => {
    let backend: Backend;

    beforeEach(async () => {
      backend = await open({ options: 'no-ssl,tcp-timeout=0.5' });
      await backend.store('k', { a: 1 }, [Buffer.alloc(50_000)]);
      relay.reset();
    });

    afterEach(() => backend[Symbol.asyncDispose]());

    test.for([
      ['503', answer({ status: 503 })],
      ['429', answer({ status: 429 })],
      ['its own rate limit', answer({ status: 498 })],
      ['a client that went away', answer({ status: 499 })],
      ['a body that does not match its digest', answer({ status: 422 })],
      ['a lost connection', { kind: 'reset' }],
      ['a truncated body', { kind: 'truncate' }],
      ['silence', { kind: 'hang' }],
    ] as const)('%s is temporary', async ([, fault]) => {
      relay.plan({ on: /^GET/, fault });
      await expect(backend.fetch('k')).rejects.toMatchObject({ temporary: true });
      expect((await backend.fetch('k')).payload.byteLength).toBe(50_000);
    });

    test('a full store or an exhausted quota is no room left', async () => {
      for (const full of [{ status: 507 }, { status: 413, body: 'Upload exceeds quota.' }]) {
        relay.plan({ on: /^PUT/, fault: answer(full) });
        await expect(backend.store('k', {}, [])).rejects.toMatchObject({ name: 'NoSpaceError' });
      }
    });

    test('a container that vanished is told from an object that did', async () => {
      relay.plan({ on: /^(PUT|GET)/, fault: answer({ status: 404 }), times: 2 });
      await expect(backend.store('k', {}, [])).rejects.toMatchObject({ name: 'NoSuchContainerError' });
      await expect(backend.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'NoSuchContainerError' });
      relay.plan({ on: /^(GET|HEAD)/, fault: answer({ status: 404 }), times: 2 });
      await expect(backend.fetch('k')).rejects.toMatchObject({ name: 'NoSuchContainerError' });
      await expect(backend.fetch('missing')).rejects.toMatchObject({ name: 'NoSuchObjectError' });
    });

    test('what a bulk deletion could not delete is an error of its kind', async () => {
      const result = (status: string): Answer => ({
        status: 200,
        body: JSON.stringify({
          'Number Deleted': 0,
          'Number Not Found': 0,
          Errors: [['/c/k', status]],
          'Response Status': '400 Bad Request',
          'Response Body': '',
        }),
      });
      relay.plan({ on: /^POST/, fault: answer(result('403 Forbidden')) });
      await expect(backend.deleteMany(['k'])).rejects.toMatchObject({ name: 'PermissionError' });
      relay.plan({ on: /^POST/, fault: answer(result('503 Internal Server Error')) });
      await expect(backend.deleteMany(['k'])).rejects.toMatchObject({ temporary: true });
    });

    test('bodies are protected by their digest where there is no TLS', async () => {
      await backend.store('k', {}, [Buffer.from('hel'), Buffer.from('lo')]);
      expect(relay.requests.at(-1)?.headers['etag']).toBe('5d41402abc4b2a76b9719d911017c592');
    });
  });
});

describe('swiftks://', () => {
  const double = { swiftUser: SWIFT_USER, swiftKey: SWIFT_KEY };
  const project = `${KEYSTONE_PROJECT.id}:${KEYSTONE_USER.name}`;
  const projectName = `${KEYSTONE_PROJECT.name}:${KEYSTONE_USER.name}`;
  let keystone: LoopbackServer;
  let keystoneHost: string;

  beforeAll(async () => {
    keystone = await startKeystoneDouble({ ...double, swiftHost: server.host, versions: [2, 3] });
    keystoneHost = keystone.origin.slice('http://'.length);
  });

  beforeEach(() => keystone.reset());

  afterAll(() => keystone[Symbol.asyncDispose]());

  const openKeystone = (options: string, login: string, more: Partial<BackendRequest> = {}): Promise<Backend> =>
    openBackend(
      backendSpec({
        url: `swiftks://${keystoneHost}/RegionOne:c/p-`,
        login,
        password: KEYSTONE_USER.password,
        options: `no-ssl,${options}`,
        ...more,
      }),
    );

  test.for([
    ['version 2, project by name', '', projectName],
    ['version 2, the only project', '', KEYSTONE_USER.name],
    ['version 3, all by id', 'domain=default,project-domain=d0d0', project],
    ['version 3, project by id, which needs no domain', 'domain=default', project],
    ['version 3, all by name', 'domain=Default,domain-is-name,project-domain=Company,project-domain-is-name,tenant-is-name', projectName],
    [
      'version 3, domain by name, project by name in a domain by id',
      'domain=Default,domain-is-name,project-domain=d0d0,tenant-is-name',
      projectName,
    ],
    ['version 3, the only project', 'domain=default', KEYSTONE_USER.name],
  ] as const)('%s logs in and works', async ([, options, login]) => {
    await using backend = await openKeystone(options, login);
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });

  test('identity-url says where Keystone is, with a version or without', async () => {
    await using elsewhere = await startKeystoneDouble({ ...double, swiftHost: server.host, versions: [3], basePath: '/identity' });
    for (const url of [`${elsewhere.origin}/identity`, `${elsewhere.origin}/identity/v3/`]) {
      await using backend = await openKeystone(`domain=default,identity-url=${url}`, project);
      expect(await roundTrip(backend)).toEqual({ a: 1 });
    }
    expect(keystone.requests).toEqual([]);
  });

  test.for([
    ['a wrong password', 'domain=default', project, { password: 'wrong' }, 14, 'backend-password'],
    ['a wrong project', 'domain=default', `nothing:${KEYSTONE_USER.name}`, {}, 14, 'PROJECT:USER'],
    ['a wrong domain', 'domain=other', project, {}, 14, 'backend-login'],
    ['an identity URL that is none', 'identity-url=keystone', project, {}, 2, 'identity-url'],
  ] as const)('%s exits with the right code and names the cure', async ([, options, login, more, exitCode, words]) => {
    const report = await openingFailure((async () => openKeystone(options, login, more))());
    expect(report).toMatchObject({ exitCode, message: expect.stringContaining(words) as string });
  });

  test('a wrong region exits with 2 and lists those that exist', async () => {
    const report = await openingFailure(openKeystone('domain=default', project, { url: `swiftks://${keystoneHost}/Nowhere:c/` }));
    expect(report).toMatchObject({ exitCode: 2, message: expect.stringContaining('Elsewhere, RegionOne') as string });
  });

  test('a Keystone of version 3 only exits with 2 and names the option that is missing', async () => {
    await using modern = await startKeystoneDouble({ ...double, swiftHost: server.host, versions: [3] });
    const url = `swiftks://${modern.origin.slice('http://'.length)}/RegionOne:c/`;
    expect(await openingFailure(openKeystone('', projectName, { url }))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('domain=default') as string,
    });
  });

  test('a user of several projects must name one: they are listed', async () => {
    const projects = [KEYSTONE_PROJECT, { id: 'ffff', name: 'other' }];
    await using many = await startKeystoneDouble({ ...double, swiftHost: server.host, versions: [2, 3], projects });
    const url = `swiftks://${many.origin.slice('http://'.length)}/RegionOne:c/`;
    for (const options of ['', 'domain=default']) {
      const report = await openingFailure(openKeystone(options, KEYSTONE_USER.name, { url }));
      expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('other (ffff)') as string });
    }
  });

  test('rackspace:// is Keystone at a fixed host', async () => {
    await using proxy = await ForwardProxy.start({ route: (name) => (name === 'auth.api.rackspacecloud.com' ? keystone.port : undefined) });
    using _ = withEnvironment({ http_proxy: `127.0.0.1:${proxy.port}`, no_proxy: '127.0.0.1' });
    const request = { url: 'rackspace://RegionOne/c/p', login: KEYSTONE_USER.name, password: KEYSTONE_USER.password, options: 'no-ssl' };
    await using backend = await openBackend(backendSpec(request));
    expect(await roundTrip(backend)).toEqual({ a: 1 });
    expect(backend.url).toBe('rackspace://RegionOne/c/p');
  });
});
