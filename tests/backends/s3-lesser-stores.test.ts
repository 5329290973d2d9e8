import { afterEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { S3Server, TEST_ACCOUNT, type S3ServerOptions } from '../support/servers/s3-server.ts';

/** Stores that speak the S3 interface, but not all of it. */
let server: S3Server;
let backend: Backend;

async function openAt(options: S3ServerOptions, url: (host: string) => string = (host) => `s3c4://${host}/bucket/`): Promise<void> {
  server = await S3Server.start(options);
  backend = await openBackend(
    backendSpec({ url: url(server.host), login: TEST_ACCOUNT.accessKeyId, password: TEST_ACCOUNT.secretAccessKey, options: 'no-ssl' }),
  );
}

async function listedKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list('')) keys.push(key);
  return keys.toSorted();
}

async function storeKeys(count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `key ${index} & <more>`).toSorted();
  await Promise.all(keys.map((key) => backend.store(key, {}, [])));
  return keys;
}

afterEach(async () => {
  await backend[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('a store of the S3 family', () => {
  test('that ignores list-type=2 is listed by the first version, page by page', async () => {
    await openAt({ lacks: ['list-v2'], pageSize: 3 });
    const keys = await storeKeys(10);
    expect(await listedKeys()).toEqual(keys);
  });

  test('that refuses list-type=2 is listed by the first version', async () => {
    await openAt({ lacks: ['list-v2'], pageSize: 3 });
    const keys = await storeKeys(4);
    server.http.plan({ on: /list-type=2/, fault: { kind: 'answer', answer: { status: 501 } } });
    expect(await listedKeys()).toEqual(keys);
    expect(server.http.faultsLeft).toBe(0);
  });

  test('that lists small pages is listed to the end', async () => {
    await openAt({ pageSize: 3 });
    const keys = await storeKeys(10);
    expect(await listedKeys()).toEqual(keys);
  });

  test('without multiple deletion gets one request per key, and is asked once only', async () => {
    await openAt({ lacks: ['delete-many'] });
    const keys = await storeKeys(5);
    await backend.deleteMany(keys.slice(0, 3));
    await backend.deleteMany(keys.slice(3));
    expect(server.names()).toEqual([]);
    expect(server.http.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('that ignores conditions is found out and declares none; nothing of the test is left', async () => {
    await openAt({ lacks: ['conditional-put'] });
    expect(backend.capabilities).toMatchObject({ conditionalCreate: false, conditionalReplace: false });
    expect(server.names()).toEqual([]);
  });

  test('that keeps conditions is found out; nothing of the test is left', async () => {
    await openAt({});
    expect(backend.capabilities).toMatchObject({ conditionalCreate: true, conditionalReplace: true });
    expect(server.names()).toEqual([]);
  });

  test('that ignores ranges sends all, of which the range is taken', async () => {
    await openAt({ lacks: ['range'] });
    await backend.store('k', {}, [Buffer.from('0123456789')]);
    expect(Buffer.from((await backend.fetch('k', { range: { offset: 3, lengthBytes: 4 } })).payload).toString()).toBe('3456');
  });

  test('whose ETag is not the MD5 of the body is read all the same', async () => {
    await openAt({});
    await backend.store('k', { a: 1 }, [Buffer.from('x')]);
    expect((await backend.fetch('k')).metadata).toEqual({ a: 1 });
  });

  test('with deep prefixes and odd characters in them', async () => {
    await openAt({}, (host) => `s3c4://${host}/bucket/../a b/é+%/x`);
    await backend.store('k', {}, [Buffer.from('x')]);
    expect(server.names()).toEqual(['../a b/é+%/xk']);
    expect(await listedKeys()).toEqual(['k']);
  });
});
