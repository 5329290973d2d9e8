/**
 * Stores out of their mind, and what stands between them and us: none of it is taken for an object, for the word that one is stored, or for the
 * state of the store; none of it keeps us busy for ever or fills our memory.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { BackendError } from '../../src/backends/errors.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { backendFactories } from '../../src/backends/registry.ts';
import { AllStores, type StoreCase } from '../support/all-stores.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import type { Answer, Fault } from '../support/servers/loopback-server.ts';

const HTTP_STORES = [...backendFactories.keys()].filter((scheme) => scheme !== 'local' && scheme !== 'sftp');
const STORES_WITH_XML: ReadonlySet<string> = new Set(['s3', 's3c', 's3c4', 'b2', 'azure']);
/** More than any redirects or pages that are followed, less than what is done without a limit. */
const FEW_REQUESTS = 30;
const PAYLOAD = Buffer.alloc(100_000, 'payload ');

const PORTAL: Answer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!DOCTYPE html><html><body>Please accept our terms</body></html>',
};
const XML_ERROR: Answer = {
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>',
};

let stores: AllStores;
let environment: Disposable;

beforeAll(async () => {
  stores = await AllStores.start();
  environment = withEnvironment(stores.environment);
});

afterAll(async () => {
  environment[Symbol.dispose]();
  await stores[Symbol.asyncDispose]();
});

async function listed(backend: Backend): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list('')) keys.push(key);
  return keys;
}

describe.for(HTTP_STORES)('%s://', (scheme) => {
  let store: Required<StoreCase>;
  let backend: Backend;

  const answerAll = (fault: Fault): void => store.server.plan({ on: /./, fault, times: 1000 });
  const answer = (content: Answer): Fault => ({ kind: 'answer', answer: content });

  beforeEach(async () => {
    store = stores.cases[scheme] as Required<StoreCase>;
    store.server.reset();
    backend = await openBackend(backendSpec(store));
    await backend.store('s3ql_data_1', { a: 1 }, [PAYLOAD]);
    store.server.reset();
    return async () => {
      store.server.reset();
      await backend[Symbol.asyncDispose]();
    };
  });

  test.for(['truncate', 'truncate-unannounced'] as const)('a body that ends early is no object (%s)', async (kind) => {
    store.server.plan({ on: /^GET .*s3ql_data_1/, fault: { kind }, times: 1000 });
    await expect(backend.fetch('s3ql_data_1')).rejects.toMatchObject({ temporary: true });
    const range = { offset: 50_000, lengthBytes: 40_000 };
    await expect(backend.fetch('s3ql_data_1', { range })).rejects.toMatchObject({ temporary: true });
    store.server.reset();
    expect(Buffer.compare((await backend.fetch('s3ql_data_1', { range })).payload, PAYLOAD.subarray(50_000, 90_000))).toBe(0);
  });

  // Other stores do not explain themselves by XML.
  test.for([
    ['the page of a portal', PORTAL] as const,
    ...(STORES_WITH_XML.has(scheme) ? [['an error that is no HTTP error', XML_ERROR] as const] : []),
  ])('%s is neither object nor listing, and nothing has been stored', async ([, content]) => {
    answerAll(answer(content));
    await expect(backend.store('s3ql_data_2', {}, [PAYLOAD])).rejects.toMatchObject({ temporary: true });
    await expect(listed(backend)).rejects.toBeInstanceOf(BackendError);
    await expect(backend.fetch('s3ql_data_1')).rejects.toMatchObject({ name: 'BackendError', temporary: true });
  });

  test.for(['endless-head', 'endless-body', 'announce-too-much'] as const)('an answer with %s is given up', async (kind) => {
    answerAll({ kind });
    const before = process.memoryUsage().rss;
    await expect(backend.fetch('s3ql_data_1')).rejects.toBeInstanceOf(BackendError);
    await expect(listed(backend)).rejects.toBeInstanceOf(BackendError);
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * 1024 ** 2);
  });

  test.for([301, 302, 307, 308])('redirects in circles end (HTTP %s)', async (status) => {
    answerAll(answer({ status, headers: { location: `${store.server.origin}/s3ql_data_1` } }));
    await expect(backend.fetch('s3ql_data_1')).rejects.toMatchObject({ temporary: false });
    expect(store.server.requests.length).toBeLessThan(FEW_REQUESTS);
  });
});

/** A page that has another one behind it, for each way in which stores list. */
const PAGES: Readonly<Record<string, (name: string) => string>> = {
  s3: (name) => s3Page(name, '<NextContinuationToken>again</NextContinuationToken>'),
  s3c4: (name) => s3Page(name, '<NextContinuationToken>again</NextContinuationToken>'),
  b2: (name) => s3Page(name, '<NextContinuationToken>again</NextContinuationToken>'),
  s3c: (name) => s3Page(name, ''),
  gs: (name) => JSON.stringify({ nextPageToken: 'again', items: [{ name, size: '1' }] }),
  swift: (name) => JSON.stringify([{ name, bytes: 1 }]),
  swiftks: (name) => JSON.stringify([{ name, bytes: 1 }]),
  rackspace: (name) => JSON.stringify([{ name, bytes: 1 }]),
  azure: (name) =>
    `<EnumerationResults><Blobs><Blob><Name>${name}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob></Blobs><NextMarker>again</NextMarker></EnumerationResults>`,
};

function s3Page(name: string, token: string): string {
  return `<ListBucketResult><IsTruncated>true</IsTruncated>${token}<Contents><Key>${name}</Key><Size>1</Size></Contents></ListBucketResult>`;
}

describe.for(Object.entries(PAGES))('a listing of %s://', ([scheme, page]) => {
  let store: Required<StoreCase>;
  let backend: Backend;

  beforeEach(async () => {
    store = stores.cases[scheme] as Required<StoreCase>;
    store.server.reset();
    backend = await openBackend(backendSpec(store));
    store.server.reset();
    return async () => {
      store.server.reset();
      await backend[Symbol.asyncDispose]();
    };
  });

  const answerWith = (name: string): void => {
    const answer: Answer = { status: 200, headers: { 'content-type': 'application/json' }, body: page(name) };
    store.server.plan({ on: /^GET/, fault: { kind: 'answer', answer }, times: 1000 });
  };

  test('that goes in circles ends', async () => {
    answerWith('p/one');
    await expect(listed(backend)).rejects.toMatchObject({ temporary: false, message: expect.stringContaining('without an end') as string });
    expect(store.server.requests.length).toBeLessThan(FEW_REQUESTS);
  });

  test('with objects outside of the prefix is refused: they are not ours', async () => {
    answerWith('other/one');
    await expect(listed(backend)).rejects.toMatchObject({ temporary: false, message: expect.stringContaining('"p/"') as string });
  });
});

test('there is a page of a listing for every store that lists by pages', () => {
  // WebDAV lists a collection at once.
  expect(Object.keys(PAGES).toSorted()).toEqual(HTTP_STORES.filter((scheme) => scheme !== 'webdav').toSorted());
});

test.for([
  ['closes the connection at once', ''],
  ['says something else than HTTP', '220 mail.example.com ESMTP\r\n'],
] as const)('a server that %s is given up within seconds', async ([, greeting]) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(greeting);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const host = `127.0.0.1:${port}`;
    const cases = ['s3c', 's3c4', 'swift', 'swiftks', 'webdav'].map((scheme) => {
      const store = stores.cases[scheme] as StoreCase;
      return { ...store, url: store.url.replace(/\/\/[^/]+/, `//${host}`) };
    });
    for (const report of await Promise.all(cases.map((store) => openingFailure(openBackend(backendSpec(store)))))) {
      expect(report).toMatchObject({ message: expect.stringContaining(host) as string });
      expect(report).not.toHaveProperty('details');
    }
  } finally {
    server.close();
  }
});

test.for(['s3c4', 'swift', 'webdav'])(
  '%s:// where http is only good for being sent to https: exit code 2, and the cure',
  async (scheme) => {
    const store = stores.cases[scheme] as Required<StoreCase>;
    store.server.reset();
    store.server.plan({
      on: /./,
      fault: { kind: 'answer', answer: { status: 301, headers: { location: 'https://127.0.0.1/elsewhere' } } },
      times: 1000,
    });
    expect(await openingFailure(openBackend(backendSpec(store)))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('remove the backend option no-ssl') as string,
    });
    store.server.reset();
  },
);
