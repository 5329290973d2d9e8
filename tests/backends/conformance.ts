/**
 * What every store must do (the invariants of src/backends/backend.ts), as tests that run against any of them. A new store supplies `open`
 * and inherits all of it.
 *
 * A range is clipped to the payload. Not part of the contract, so not tested: the order of listings, sizes in listings, what a store does with keys that contain NUL.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend, StoreOptions } from '../../src/backends/backend.ts';
import { BackendError, NoSuchObjectError, PreconditionFailedError } from '../../src/backends/errors.ts';
import type { MetadataValue, ObjectMetadata } from '../../src/backends/object-metadata.ts';

const METADATA: ObjectMetadata = { format_version: 2, compression: 'None', encryption: 'None', data: Buffer.from('{  }') };
const KEYS_PER_LISTING_PAGE = 1000;

/** The metadata of a real encrypted object: what must fit everywhere. */
const ENCRYPTED_METADATA: ObjectMetadata = {
  format_version: 2,
  compression: 'LZMA',
  encryption: 'AES_v2',
  nonce: randomBytes(8 + 'c_metadata_0123456789ab_0123456789'.length),
  data: randomBytes(24),
  object_id: 's3ql_metadata_0123456789ab_0123456789',
  signature: randomBytes(32),
};

const metadataValues: readonly [string, MetadataValue][] = [
  ['zero', 0],
  ['a negative integer', -17],
  ['the largest integer', Number.MAX_SAFE_INTEGER],
  ['true', true],
  ['false', false],
  ['null', null],
  ['an empty text', ''],
  ['text with both quotes', `it's "quoted"`],
  ['text with spaces at its ends', '  x  '],
  ['text with backslashes, tabs and line breaks', 'a\\b\tc\r\nd'],
  ['text with a percent sign', '100%41'],
  ['text beyond ASCII', 'é文\u{1f600}\u00a0'],
  ['no bytes', new Uint8Array(0)],
  ['bytes of every value', Uint8Array.from({ length: 256 }, (_, value) => value)],
  ['text longer than a header', 'x'.repeat(600)],
];

const oddKeys = [
  's3ql_data_',
  's3ql_data_1',
  's3ql_data_123',
  's3ql_data_1234',
  's3ql_data_1234567',
  's3ql_metadata_000000000000_006b031093',
  'with space',
  'with=equals',
  'with#hash',
  'with%25percent',
  'with+plus&and?question',
  'with\'quotes"',
  'with~tilde(and)brackets!*',
  'with:colon;semicolon,comma@at$',
  'beyond-ASCII-é文\u{1f600}',
  'UPPER-and-lower',
  'a'.repeat(200),
  '-dash',
  '_',
];

const ranges: readonly [string, number, number][] = [
  ['the first byte', 0, 1],
  ['the last byte', 999, 1],
  ['the middle', 100, 300],
  ['all of it', 0, 1000],
  ['more than there is', 900, 1000],
  ['what begins right behind the end', 1000, 10],
  ['what begins far behind the end', 5000, 10],
  ['nothing', 10, 0],
];

/** Metadata for comparison: whether bytes are a Buffer or another Uint8Array is no difference. */
const comparable = (metadata: ObjectMetadata): ObjectMetadata =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : value,
    ]),
  );

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What an operation came to: its error's class, or `done`. */
async function outcome(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return 'done';
  } catch (error) {
    if (error instanceof Error) return error.constructor.name;
    throw error;
  }
}

async function listAll(backend: Backend, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key);
  return keys.toSorted();
}

async function fetchText(backend: Backend, key: string): Promise<string> {
  const { payload } = await backend.fetch(key);
  return Buffer.from(payload).toString();
}

/** Runs the suite. @param open opens a store without any objects; each test opens one and disposes of it */
export function backendConformance(name: string, open: () => Promise<Backend>): void {
  describe(`${name} as a store`, () => {
    let backend: Backend;

    const put = (key: string, text: string = `content of ${key}`, options?: StoreOptions): ReturnType<Backend['store']> =>
      backend.store(key, METADATA, [Buffer.from(text)], options);

    beforeEach(async () => {
      backend = await open();
    });

    afterEach(async () => {
      await backend[Symbol.asyncDispose]();
    });

    describe('storing and fetching', () => {
      test('what is stored can be fetched, payload and metadata', async () => {
        await put('k', 'hello');
        const fetched = await backend.fetch('k');
        expect(Buffer.from(fetched.payload).toString()).toBe('hello');
        expect(comparable(fetched.metadata)).toEqual(comparable(METADATA));
      });

      test('the parts of a payload are joined', async () => {
        await backend.store('k', METADATA, [Buffer.from('a'), Buffer.alloc(0), Buffer.from('bc'), Buffer.from('d')]);
        expect(await fetchText(backend, 'k')).toBe('abcd');
      });

      test('a payload may be a part of a larger buffer', async () => {
        await backend.store('k', METADATA, [Buffer.from('xxhelloxx').subarray(2, 7)]);
        expect(await fetchText(backend, 'k')).toBe('hello');
      });

      test.for([
        ['no parts', []],
        ['an empty part', [new Uint8Array(0)]],
      ] as const)('an object of %s is empty', async ([, payload]) => {
        await backend.store('k', METADATA, payload);
        const fetched = await backend.fetch('k');
        expect(fetched.payload).toHaveLength(0);
        expect(comparable(fetched.metadata)).toEqual(comparable(METADATA));
      });

      test('bytes of every value come back', async () => {
        const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index & 0xff));
        await backend.store('k', METADATA, [bytes]);
        expect(Buffer.compare((await backend.fetch('k')).payload, bytes)).toBe(0);
      });

      test('a large object comes back whole', async () => {
        const large = randomBytes(10 * 1024 * 1024 + 1);
        await backend.store('k', METADATA, [large.subarray(0, 3_000_000), large.subarray(3_000_000)]);
        const { payload } = await backend.fetch('k');
        expect([payload.byteLength, digest(payload)]).toEqual([large.byteLength, digest(large)]);
      });

      test('an object is replaced as a whole, metadata too', async () => {
        await backend.store('k', { ...METADATA, old: 'x' }, [Buffer.from('a longer first version')]);
        await backend.store('k', { ...METADATA, new: 1 }, [Buffer.from('second')]);
        const fetched = await backend.fetch('k');
        expect(Buffer.from(fetched.payload).toString()).toBe('second');
        expect(comparable(fetched.metadata)).toEqual(comparable({ ...METADATA, new: 1 }));
        expect(await listAll(backend, '')).toEqual(['k']);
      });

      test('a key that is not there is a NoSuchObjectError that names it', async () => {
        await expect(backend.fetch('missing')).rejects.toThrow(NoSuchObjectError);
        await expect(backend.fetch('missing')).rejects.toMatchObject({ key: 'missing', temporary: false });
      });

      test('a key is not found by its beginning', async () => {
        await put('s3ql_data_12');
        expect(await outcome(backend.fetch('s3ql_data_1'))).toBe('NoSuchObjectError');
      });

      test('a buffer may be changed as soon as store has resolved', async () => {
        const bytes = Buffer.from('before');
        await backend.store('k', METADATA, [bytes]);
        bytes.write('after!');
        expect(await fetchText(backend, 'k')).toBe('before');
      });

      test('what was fetched may be changed without harm to the object', async () => {
        await put('k', 'untouched');
        (await backend.fetch('k')).payload.fill(0);
        expect(await fetchText(backend, 'k')).toBe('untouched');
      });

      test('storing leaves the caller’s buffers and metadata alone', async () => {
        const bytes = Buffer.from('payload');
        const metadata = { ...METADATA };
        await backend.store('k', metadata, [bytes]);
        expect([bytes.toString(), metadata]).toEqual(['payload', METADATA]);
      });

      test('the stored size is at least that of the payload, and the same from store, stat and fetch', async () => {
        const { storedSizeBytes } = await backend.store('k', METADATA, [randomBytes(5000)]);
        expect(storedSizeBytes).toBeGreaterThanOrEqual(5000);
        expect((await backend.stat('k')).storedSizeBytes).toBe(storedSizeBytes);
        expect((await backend.fetch('k')).storedSizeBytes).toBe(storedSizeBytes);
      });
    });

    describe('metadata', () => {
      test.for(metadataValues)('%s comes back with its type', async ([, value]) => {
        await backend.store('k', { ...METADATA, value }, []);
        expect(comparable((await backend.stat('k')).metadata)).toEqual(comparable({ ...METADATA, value }));
      });

      test('an object may have none', async () => {
        await backend.store('k', {}, [Buffer.from('x')]);
        expect([(await backend.stat('k')).metadata, (await backend.fetch('k')).metadata]).toEqual([{}, {}]);
      });

      test('that of an encrypted object fits', async () => {
        await backend.store('k', ENCRYPTED_METADATA, []);
        expect(comparable((await backend.fetch('k')).metadata)).toEqual(comparable(ENCRYPTED_METADATA));
      });

      test('keys in capitals, with a dash or digits stay as they are', async () => {
        const metadata = { ...METADATA, UPPER: 1, 'with-dash': 2, n0: 3 };
        await backend.store('k', metadata, []);
        expect(comparable((await backend.stat('k')).metadata)).toEqual(comparable(metadata));
      });

      test('more of it than stores take is refused, or comes back', async () => {
        const metadata = { ...METADATA, value: 'x'.repeat(70_000) };
        const stored = (await outcome(backend.store('k', metadata, []))) === 'done';
        const found = await Promise.all((await listAll(backend, '')).map((key) => backend.stat(key)));
        expect(found.map((stat) => comparable(stat.metadata))).toEqual(stored ? [comparable(metadata)] : []);
      });
    });

    describe('stat', () => {
      test('it gives the metadata without the payload', async () => {
        await backend.store('k', { ...METADATA, x: 1 }, [Buffer.from('payload')]);
        const stat = await backend.stat('k');
        expect(comparable(stat.metadata)).toEqual(comparable({ ...METADATA, x: 1 }));
        expect(stat).not.toHaveProperty('payload');
      });

      test('a key that is not there is a NoSuchObjectError', async () => {
        await expect(backend.stat('missing')).rejects.toThrow(NoSuchObjectError);
      });

      test('the time of the last change, if there is one, is about now', async () => {
        await put('k');
        const { lastModifiedMs = Date.now() } = await backend.stat('k');
        expect(Math.abs(lastModifiedMs - Date.now())).toBeLessThan(3_600_000);
      });
    });

    describe('ranges', () => {
      test.for(ranges)('%s of a payload can be fetched', async ([, offset, lengthBytes]) => {
        const payload = randomBytes(1000);
        await backend.store('k', METADATA, [payload]);
        const fetched = await backend.fetch('k', { range: { offset, lengthBytes } });
        expect(Buffer.compare(fetched.payload, payload.subarray(offset, offset + lengthBytes))).toBe(0);
        expect(comparable(fetched.metadata)).toEqual(comparable(METADATA));
      });

      test('a range of an empty object is empty', async () => {
        await backend.store('k', METADATA, []);
        expect((await backend.fetch('k', { range: { offset: 0, lengthBytes: 10 } })).payload).toHaveLength(0);
      });

      test('a range of a key that is not there is a NoSuchObjectError', async () => {
        await expect(backend.fetch('missing', { range: { offset: 0, lengthBytes: 1 } })).rejects.toThrow(NoSuchObjectError);
      });

      test('a range leaves the stored size that of the whole object', async () => {
        const { storedSizeBytes } = await put('k', 'x'.repeat(1000));
        expect((await backend.fetch('k', { range: { offset: 5, lengthBytes: 10 } })).storedSizeBytes).toBe(storedSizeBytes);
      });
    });

    describe('keys', () => {
      test.for(oddKeys)('an object called %j is stored, found, listed and deleted', async (key) => {
        await put(key, 'odd');
        expect(await fetchText(backend, key)).toBe('odd');
        expect(await listAll(backend, '')).toEqual([key]);
        expect(await listAll(backend, key)).toEqual([key]);
        await backend.delete(key);
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('keys that differ in case only are different objects', async () => {
        await put('key', 'lower');
        await put('KEY', 'upper');
        expect([await fetchText(backend, 'key'), await fetchText(backend, 'KEY')]).toEqual(['lower', 'upper']);
      });

      test('a key may begin with another key', async () => {
        await put('a', '1');
        await put('ab', '2');
        await put('abc', '3');
        await backend.delete('ab');
        expect(await listAll(backend, '')).toEqual(['a', 'abc']);
      });
    });

    describe('listing', () => {
      test('an empty store lists nothing', async () => {
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('the prefix picks the keys that begin with it', async () => {
        const keys = ['s3ql_data_1', 's3ql_data_12', 's3ql_data_123456', 's3ql_data_2', 's3ql_params', 's3ql_params_0a', 'other'];
        for (const key of keys) await put(key);
        expect(await listAll(backend, '')).toEqual(keys.toSorted());
        expect(await listAll(backend, 's3ql_data_')).toEqual(['s3ql_data_1', 's3ql_data_12', 's3ql_data_123456', 's3ql_data_2']);
        expect(await listAll(backend, 's3ql_data_12')).toEqual(['s3ql_data_12', 's3ql_data_123456']);
        expect(await listAll(backend, 's3ql_data_1234')).toEqual(['s3ql_data_123456']);
        expect(await listAll(backend, 's3ql_params')).toEqual(['s3ql_params', 's3ql_params_0a']);
        expect(await listAll(backend, 's3')).toHaveLength(6);
        expect(await listAll(backend, 'nothing')).toEqual([]);
      });

      test('a prefix is no pattern', async () => {
        for (const key of ['a.c', 'abc', 'a*c', 'a%c', 'a_c']) await put(key);
        expect(await listAll(backend, 'a.')).toEqual(['a.c']);
        expect(await listAll(backend, 'a*')).toEqual(['a*c']);
        expect(await listAll(backend, 'a_')).toEqual(['a_c']);
        expect(await listAll(backend, 'a%')).toEqual(['a%c']);
      });

      test('more keys than a page has are listed, each once', async () => {
        const keys = Array.from({ length: KEYS_PER_LISTING_PAGE + 150 }, (_, index) => `s3ql_data_${index}`);
        const rest = keys.values();
        const writer = async (): Promise<void> => {
          for (const key of rest) await put(key, '');
        };
        await Promise.all(Array.from({ length: 16 }, writer));
        expect(await listAll(backend, 's3ql_data_')).toEqual(keys.toSorted());
        await backend.deleteMany(keys);
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('a listing can be left before its end', async () => {
        for (const key of ['a', 'b', 'c']) await put(key);
        const first = await backend.list('')[Symbol.asyncIterator]().next();
        expect(['a', 'b', 'c']).toContain((first.value as { key: string }).key);
        for await (const { key } of backend.list('')) {
          expect(['a', 'b', 'c']).toContain(key);
          break;
        }
        expect(await listAll(backend, '')).toEqual(['a', 'b', 'c']);
      });

      test('objects may be deleted while they are listed', async () => {
        const keys = Array.from({ length: 50 }, (_, index) => `s3ql_data_${1000 + index}`);
        for (const key of keys) await put(key, '');
        for await (const { key } of backend.list('')) await backend.delete(key);
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('a size in a listing is that of the object', async () => {
        const { storedSizeBytes } = await put('k', 'x'.repeat(100));
        for await (const listed of backend.list('')) expect(listed.storedSizeBytes ?? storedSizeBytes).toBe(storedSizeBytes);
      });

      test('it agrees at once with what was stored and deleted', async () => {
        for (let round = 0; round < 5; round += 1) {
          await put(`k${round}`);
          expect(await listAll(backend, 'k')).toEqual([`k${round}`]);
          await backend.delete(`k${round}`);
          expect(await listAll(backend, 'k')).toEqual([]);
        }
      });
    });

    describe('deleting', () => {
      test('a deleted object is gone for fetch, stat and list', async () => {
        await put('k');
        await backend.delete('k');
        expect(await outcome(backend.fetch('k'))).toBe('NoSuchObjectError');
        expect(await outcome(backend.stat('k'))).toBe('NoSuchObjectError');
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('deleting what is not there is no error', async () => {
        expect(await outcome(backend.delete('missing'))).toBe('done');
        expect(await outcome(backend.delete('s3ql_data_123456789'))).toBe('done');
      });

      test('a deleted key can be stored again', async () => {
        await put('k', 'first');
        await backend.delete('k');
        await put('k', 'second');
        expect(await fetchText(backend, 'k')).toBe('second');
      });

      test('many are deleted at once, those that are not there are no error', async () => {
        for (const key of ['a', 'b', 'c', 'd']) await put(key);
        await backend.deleteMany(['a', 'missing', 'c', 's3ql_data_999']);
        expect(await listAll(backend, '')).toEqual(['b', 'd']);
      });

      test('deleting none of many, or one twice, is no error', async () => {
        await put('a');
        expect(await outcome(backend.deleteMany([]))).toBe('done');
        expect(await outcome(backend.deleteMany(['a', 'a']))).toBe('done');
        expect(await listAll(backend, '')).toEqual([]);
      });

      test('odd keys are deleted among many', async () => {
        for (const key of oddKeys) await put(key);
        await backend.deleteMany(oddKeys);
        expect(await listAll(backend, '')).toEqual([]);
      });
    });

    describe('conditions', () => {
      test('ifAbsent creates what is not there, if the store is able to', async () => {
        const able = backend.capabilities.conditionalCreate;
        expect(await outcome(put('k', 'first', { ifAbsent: true }))).toBe(able ? 'done' : 'BackendError');
        expect(await listAll(backend, '')).toEqual(able ? ['k'] : []);
      });

      test('ifAbsent leaves what is there alone', async () => {
        await put('k', 'first');
        const result = await outcome(put('k', 'second', { ifAbsent: true }));
        expect(result).toBe(backend.capabilities.conditionalCreate ? 'PreconditionFailedError' : 'BackendError');
        expect(await fetchText(backend, 'k')).toBe('first');
      });

      test('of twenty who create one object at once exactly one wins, and its object is there', async () => {
        const able = backend.capabilities.conditionalCreate;
        const writers = Array.from({ length: 20 }, (_, index) => outcome(put('s3ql_data_1000', `writer ${index}`, { ifAbsent: true })));
        const outcomes = await Promise.all(writers);
        const winners = outcomes.flatMap((result, index) => (result === 'done' ? [`writer ${index}`] : []));
        expect(winners).toHaveLength(able ? 1 : 0);
        expect(new Set(outcomes)).toEqual(new Set(able ? ['done', 'PreconditionFailedError'] : ['BackendError']));
        const found = await Promise.all((await listAll(backend, '')).map((key) => fetchText(backend, key)));
        expect(found).toEqual(winners);
      });

      test('an object that was deleted can be created with ifAbsent', async () => {
        await put('k');
        await backend.delete('k');
        const able = backend.capabilities.conditionalCreate;
        expect(await outcome(put('k', 'again', { ifAbsent: true }))).toBe(able ? 'done' : 'BackendError');
      });

      test('versions are given if the store can replace conditionally, the same by store, stat and fetch', async () => {
        const { version } = await put('k');
        expect(typeof version).toBe(backend.capabilities.conditionalReplace ? 'string' : 'undefined');
        expect((await backend.stat('k')).version).toBe(version);
        expect((await backend.fetch('k')).version).toBe(version);
      });

      test('ifVersion replaces the version that is there, if the store is able to', async () => {
        const able = backend.capabilities.conditionalReplace;
        const { version = 'none' } = await put('k', 'first');
        expect(await outcome(put('k', 'second', { ifVersion: version }))).toBe(able ? 'done' : 'BackendError');
        expect(await fetchText(backend, 'k')).toBe(able ? 'second' : 'first');
      });

      test('ifVersion leaves another version alone', async () => {
        const { version = 'none' } = await put('k', 'first');
        await put('k', 'second');
        const result = await outcome(put('k', 'third', { ifVersion: version }));
        expect(result).toBe(backend.capabilities.conditionalReplace ? 'PreconditionFailedError' : 'BackendError');
        expect(await fetchText(backend, 'k')).toBe('second');
      });

      test('of ten who replace one version at once exactly one wins', async () => {
        const able = backend.capabilities.conditionalReplace;
        const { version = 'none' } = await put('k', 'first');
        const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => outcome(put('k', `${index}`, { ifVersion: version }))));
        expect(outcomes.filter((result) => result === 'done')).toHaveLength(able ? 1 : 0);
      });

      test('a failed condition is no temporary error', () => {
        expect(new PreconditionFailedError('x').temporary).toBe(false);
      });
    });

    describe('copying', () => {
      test('a copy is like its source, payload and metadata, if the store is able to', async () => {
        const able = backend.capabilities.serverCopy;
        const payload = randomBytes(100_000);
        await backend.store('s3ql_data_1234', { ...ENCRYPTED_METADATA, x: 1 }, [payload]);
        expect(await outcome(backend.copy('s3ql_data_1234', 's3ql_data_9999'))).toBe(able ? 'done' : 'BackendError');
        expect(await listAll(backend, '')).toEqual(able ? ['s3ql_data_1234', 's3ql_data_9999'] : ['s3ql_data_1234']);
        const fetched = await backend.fetch(able ? 's3ql_data_9999' : 's3ql_data_1234');
        expect(digest(fetched.payload)).toBe(digest(payload));
        expect(comparable(fetched.metadata)).toEqual(comparable({ ...ENCRYPTED_METADATA, x: 1 }));
      });

      test('a copy replaces what was there, and stays when its source goes', async () => {
        const able = backend.capabilities.serverCopy;
        await put('source é+& %41', 'new');
        await put('target/=#', 'a longer old one');
        await outcome(backend.copy('source é+& %41', 'target/=#'));
        await backend.delete('source é+& %41');
        expect(await fetchText(backend, 'target/=#')).toBe(able ? 'new' : 'a longer old one');
        expect(await listAll(backend, '')).toEqual(['target/=#']);
      });

      test('copying what is not there fails, and leaves the target alone', async () => {
        await put('k', 'old');
        const result = await outcome(backend.copy('missing', 'k'));
        expect(result).toBe(backend.capabilities.serverCopy ? 'NoSuchObjectError' : 'BackendError');
        expect(await fetchText(backend, 'k')).toBe('old');
      });
    });

    describe('many at once', () => {
      test('objects stored at the same time all come back right', async () => {
        const objects = Array.from({ length: 60 }, (_, index) => ({ key: `s3ql_data_${index * 97}`, bytes: randomBytes(index * 300) }));
        await Promise.all(objects.map(({ key, bytes }) => backend.store(key, { ...METADATA, key }, [bytes])));
        const fetched = await Promise.all(objects.map(({ key }) => backend.fetch(key)));
        expect(fetched.map(({ payload }) => digest(payload))).toEqual(objects.map(({ bytes }) => digest(bytes)));
        expect(fetched.map(({ metadata }) => metadata['key'])).toEqual(objects.map(({ key }) => key));
      });

      test('readers of an object that is replaced again and again see whole versions only', async () => {
        const version = (number: number): Promise<unknown> =>
          backend.store('k', { ...METADATA, number }, [Buffer.alloc(20_000 + number, number)]);
        await version(0);
        const progress = { writing: true };
        const writer = (async () => {
          for (let number = 1; number <= 20; number += 1) await version(number);
        })().finally(() => (progress.writing = false));
        const torn: unknown[] = [];
        while (progress.writing) {
          const { metadata, payload } = await backend.fetch('k');
          const number = metadata['number'] as number;
          if (payload.byteLength !== 20_000 + number || payload.some((byte) => byte !== number)) torn.push(metadata);
        }
        await writer;
        expect(torn).toEqual([]);
      });

      test('a listing during writes shows whole keys only', async () => {
        const keys = Array.from({ length: 40 }, (_, index) => `s3ql_data_${5000 + index}`);
        const [listed] = await Promise.all([listAll(backend, ''), ...keys.map((key) => put(key))]);
        expect(keys).toEqual(expect.arrayContaining(listed));
      });

      test('an object can be deleted and stored at the same time', async () => {
        await put('k');
        await Promise.all([backend.delete('k'), put('k', 'new')]);
        const found = await Promise.all((await listAll(backend, '')).map((key) => fetchText(backend, key)));
        expect([[], ['new']]).toContainEqual(found);
      });
    });

    describe('aborting', () => {
      const reason = new Error('no longer wanted');
      const aborted = AbortSignal.abort(reason);

      test('an aborted signal stops every operation before it begins, with the signal’s reason', async () => {
        await put('there');
        await expect(backend.store('k', METADATA, [], { signal: aborted })).rejects.toBe(reason);
        await expect(backend.fetch('there', { signal: aborted })).rejects.toBe(reason);
        await expect(backend.stat('there', { signal: aborted })).rejects.toBe(reason);
        await expect(backend.delete('there', { signal: aborted })).rejects.toBe(reason);
        await expect(backend.deleteMany(['there'], { signal: aborted })).rejects.toBe(reason);
        await expect(backend.list('', { signal: aborted })[Symbol.asyncIterator]().next()).rejects.toBe(reason);
        expect(await listAll(backend, '')).toEqual(['there']);
      });

      test('a store that is aborted half-way leaves a whole object or none', async () => {
        const controller = new AbortController();
        const payload = randomBytes(2_000_000);
        const storing = backend.store('k', METADATA, [payload], { signal: controller.signal }).then(
          () => 'done',
          (error: unknown) => error,
        );
        setImmediate(() => controller.abort(reason));
        expect(['done', reason]).toContain(await storing);
        for (const key of await listAll(backend, '')) expect(digest((await backend.fetch(key)).payload)).toBe(digest(payload));
      });

      test('a fetch that is aborted half-way gives the object or the reason', async () => {
        await backend.store('k', METADATA, [randomBytes(2_000_000)]);
        const controller = new AbortController();
        const fetching = backend.fetch('k', { signal: controller.signal }).then(
          ({ payload }) => payload.byteLength,
          (error: unknown) => error,
        );
        setImmediate(() => controller.abort(reason));
        expect([2_000_000, reason]).toContain(await fetching);
      });

      test('a signal that is never aborted changes nothing', async () => {
        const { signal } = new AbortController();
        await put('k', 'text', { signal });
        expect(Buffer.from((await backend.fetch('k', { signal })).payload).toString()).toBe('text');
        await backend.stat('k', { signal });
        await backend.deleteMany(['k'], { signal });
        await backend.delete('k', { signal });
        expect(await listAll(backend, '')).toEqual([]);
      });
    });

    describe('the store itself', () => {
      test('it has a URL and declares sensible capabilities', () => {
        expect(backend.url).toMatch(/^[a-z0-9]+:\/\//);
        expect(backend.capabilities.batchDelete).toBeGreaterThanOrEqual(1);
      });

      test('its errors are BackendErrors', async () => {
        await expect(backend.fetch('missing')).rejects.toBeInstanceOf(BackendError);
      });
    });
  });
}
