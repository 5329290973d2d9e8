import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Backend, FetchedObject } from '../backends/backend.ts';
import { NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import { masterKeyEnvelope } from '../envelope/envelope.ts';
import { SealedObjectStore } from './sealed-object-store.ts';

const KEY = 's3ql_data_1';
const ZLIB = { algorithm: 'zlib', level: 6 } as const;
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
});

/** Keeps objects in a map that tests can damage. */
function mapBackend(objects: Map<string, { metadata: ObjectMetadata; payload: Uint8Array }>): Backend {
  const fetch = (key: string): Promise<FetchedObject> => {
    const object = objects.get(key);
    if (object === undefined) return Promise.reject(new NoSuchObjectError(key));
    return Promise.resolve({ metadata: object.metadata, payload: Uint8Array.from(object.payload), storedSizeBytes: object.payload.length });
  };
  return {
    url: 'test://',
    capabilities: { conditionalCreate: false, conditionalReplace: false, range: false, batchDelete: 1, serverCopy: false },
    store: (key, metadata, payload) => {
      const bytes = Buffer.concat(payload);
      objects.set(key, { metadata, payload: bytes });
      return Promise.resolve({ storedSizeBytes: bytes.length });
    },
    fetch,
    stat: fetch,
    delete: (key) => Promise.resolve(void objects.delete(key)),
    deleteMany: (keys) => Promise.resolve(keys.forEach((key) => objects.delete(key))),
    copy: () => Promise.reject(new Error('this store cannot copy')),
    list: async function* list(prefix) {
      for (const key of objects.keys()) if (key.startsWith(prefix)) yield await Promise.resolve({ key });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openStore(): { store: SealedObjectStore; objects: Map<string, { metadata: ObjectMetadata; payload: Uint8Array }> } {
  const objects = new Map<string, { metadata: ObjectMetadata; payload: Uint8Array }>();
  const store = new SealedObjectStore({ backend: mapBackend(objects), envelope: masterKeyEnvelope(Buffer.alloc(32, 1)), maxThreads: 2 });
  opened.push(store);
  return { store, objects };
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

test('what was put comes back, and the store holds neither it nor its size', async () => {
  const { store, objects } = openStore();
  const plaintext = Buffer.from('plain text '.repeat(1000));
  const { storedSizeBytes } = await store.put(KEY, new Uint8Array(plaintext), { compression: ZLIB });
  expect(storedSizeBytes).toBeLessThan(plaintext.length / 10);
  expect(Buffer.from(objects.get(KEY)?.payload ?? []).includes('plain')).toBe(false);
  expect(Buffer.from(await store.get(KEY, { expectedDigest: sha256(plaintext) }))).toEqual(plaintext);
});

test('many blocks at once use all threads and each gets its own result', async () => {
  const { store } = openStore();
  const blocks = Array.from({ length: 40 }, (_, index) => randomBytes(1000 + index));
  await Promise.all(blocks.map((block, index) => store.put(`s3ql_data_${index}`, new Uint8Array(block), { compression: ZLIB })));
  const back = await Promise.all(blocks.map((_, index) => store.get(`s3ql_data_${index}`)));
  expect(back.map((block) => Buffer.from(block))).toEqual(blocks);
});

test('a part of a file is hashed where it lies, and its bytes can be put', async () => {
  const { store } = openStore();
  const directory = mkdtempSync(join(tmpdir(), 's3ql-objects-'));
  const path = join(directory, 'segment');
  writeFileSync(path, 'xxxxhello');
  const fd = openSync(path, 'r');
  try {
    const { digest, bytes } = await store.hash({ fd, position: 4, lengthBytes: 8 });
    const expected = Buffer.from('hello\0\0\0');
    expect(Buffer.from(bytes)).toEqual(expected);
    expect(Buffer.from(digest)).toEqual(sha256(expected));
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});

test.each([
  ['damaged', { flip: true }],
  ['not what the metadata expects', { expectedDigest: new Uint8Array(32) }],
  ['larger than it may be', { maxSizeBytes: 4 }],
])(
  'an object that is %s is refused by name',
  async (_how, { flip = false, ...options }: { flip?: boolean; expectedDigest?: Uint8Array; maxSizeBytes?: number }) => {
    const { store, objects } = openStore();
    await store.put(KEY, new Uint8Array(Buffer.from('contents')), { compression: ZLIB });
    const payload = objects.get(KEY)?.payload;
    if (flip && payload !== undefined) payload[3] = (payload[3] ?? 0) ^ 1;
    await expect(store.get(KEY, options)).rejects.toMatchObject({ name: 'IntegrityError', key: KEY });
  },
);

test('an object that is not there is reported as such', async () => {
  await expect(openStore().store.get(KEY)).rejects.toBeInstanceOf(NoSuchObjectError);
});

test('what is under way when the store is closed is rejected, not forgotten', async () => {
  const { store } = openStore();
  const pending = store.hash({ bytes: new Uint8Array(1_000_000) }).catch(String);
  await store[Symbol.asyncDispose]();
  expect(await pending).toMatch(/transform/);
});
