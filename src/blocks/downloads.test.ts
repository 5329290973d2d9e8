import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { patternBytes, inodeId } from '../../tests/support/blocks/block-cache-fixture.ts';
import { FakeObjectStore, storeFailure } from '../../tests/support/blocks/fake-object-store.ts';
import type { ObjectId, StoredBlock } from '../metadata/types.ts';
import type { BlockDamage } from './block-cache-options.ts';
import { Downloads } from './downloads.ts';
import { DamagedObjects } from './damaged-objects.ts';
import { dataObjectKey } from './object-ids.ts';

/** Above what is worth freeing by hand. */
const LARGE_BYTES = 100_000;
const PLACE = { inode: inodeId(10), block: 3 };

interface Setup {
  readonly downloads: Downloads;
  readonly damaged: DamagedObjects;
  readonly store: FakeObjectStore;
  readonly damages: BlockDamage[];
  readonly rows: readonly StoredBlock[];
  /** Objects in the order in which their download began; each waits for `release`. */
  readonly begun: string[];
  readonly release: () => void;
}

function setup(limit: number, count: number): Setup {
  const store = new FakeObjectStore();
  const rows: StoredBlock[] = [];
  for (let id = 1; id <= count; id++) {
    const bytes = patternBytes(id, 1000);
    store.content.set(dataObjectKey(id as ObjectId), bytes);
    rows.push({ objectId: id as ObjectId, lengthBytes: bytes.length, digest: createHash('sha256').update(bytes).digest() });
  }
  const begun: string[] = [];
  let waiting: (() => void)[] = [];
  store.before = (_, keys) => {
    begun.push(...keys);
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  const damages: BlockDamage[] = [];
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const damaged = new DamagedObjects({ path: undefined, isKnown: () => true, log });
  const downloads = new Downloads({ objects: store, limit, damaged, log, onDamage: (damage) => damages.push(damage) });
  const release = (): void => {
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  return { downloads, damaged, store, damages, rows, begun, release };
}

function row(rows: readonly StoredBlock[], index: number): StoredBlock {
  const found = rows[index];
  if (!found) throw new Error('no such row');
  return found;
}

/** What a reader keeps of the bytes, which are gone afterwards. */
const copy = (bytes: Uint8Array): Uint8Array => bytes.slice();

test('all who want an object share one download', async () => {
  const { downloads, store, rows, release } = setup(4, 1);
  const both = Promise.all([downloads.get(PLACE, row(rows, 0), copy), downloads.get(PLACE, row(rows, 0), copy)]);
  release();
  expect(await both).toEqual([patternBytes(1, 1000), patternBytes(1, 1000)]);
  expect(store.counts.get).toBe(1);
});

test.each([
  ['is free when all have used the bytes', false, 0],
  ['stays if somebody kept them', true, LARGE_BYTES],
])('the memory %s', async (_, keep, lengthBytes) => {
  const { downloads, store } = setup(4, 0);
  store.before = () => {};
  const objectId = 1 as ObjectId;
  const bytes = patternBytes(objectId, LARGE_BYTES);
  store.content.set(dataObjectKey(objectId), bytes);
  const seen: Uint8Array[] = [];
  const large = { objectId, lengthBytes: LARGE_BYTES, digest: createHash('sha256').update(bytes).digest() };
  await downloads.get(PLACE, large, (given) => {
    seen.push(given);
    if (keep) downloads.keep(objectId, given);
  });
  expect(seen.map(({ length }) => length)).toEqual([lengthBytes]);
  expect(await downloads.get(PLACE, large, copy)).toEqual(bytes);
  expect(store.counts.get).toBe(keep ? 1 : 2);
});

test('no more downloads run at once than the limit, and readers go before read-ahead', async () => {
  const { downloads, rows, begun, release } = setup(1, 3);
  const first = downloads.get(PLACE, row(rows, 0), copy);
  const ahead = Promise.withResolvers<void>();
  downloads.prefetch(
    PLACE,
    row(rows, 1),
    () => ahead.resolve(),
    () => true,
  );
  const second = downloads.get(PLACE, row(rows, 2), copy);
  expect(begun).toEqual(['s3ql_data_1']);
  release();
  await first;
  await Promise.resolve();
  expect(begun).toEqual(['s3ql_data_1', 's3ql_data_3']);
  release();
  await second;
  await Promise.resolve();
  release();
  await ahead.promise;
  expect(begun).toEqual(['s3ql_data_1', 's3ql_data_3', 's3ql_data_2']);
});

test('a read-ahead that a reader waits for goes on although nobody wants it ahead any more', async () => {
  const { downloads, store, rows, release } = setup(1, 2);
  const users: string[] = [];
  const first = downloads.get(PLACE, row(rows, 0), copy);
  downloads.prefetch(
    PLACE,
    row(rows, 1),
    () => users.push('read-ahead'),
    () => false,
  );
  const read = downloads.get(PLACE, row(rows, 1), (bytes) => {
    users.push('reader');
    return copy(bytes);
  });
  release();
  await first;
  await Promise.resolve();
  release();
  expect(await read).toEqual(patternBytes(2, 1000));
  expect(users).toEqual(['read-ahead', 'reader']);
  expect(store.counts.get).toBe(2);
});

test('a read-ahead that nobody wants any more is not fetched', async () => {
  const { downloads, rows, begun, release } = setup(1, 2);
  const first = downloads.get(PLACE, row(rows, 0), copy);
  downloads.prefetch(
    PLACE,
    row(rows, 1),
    () => expect.unreachable(),
    () => false,
  );
  release();
  await first;
  await downloads.stop();
  expect(begun).toEqual(['s3ql_data_1']);
});

test('who gives up waiting gets no bytes any more; they are kept for who asks again', async () => {
  const { downloads, store, rows, release } = setup(1, 1);
  const abort = new AbortController();
  const given = downloads.get(PLACE, row(rows, 0), () => expect.unreachable(), abort.signal);
  abort.abort();
  await expect(given).rejects.toMatchObject({ code: 'EINTR' });
  release();
  expect(await downloads.get(PLACE, row(rows, 0), copy)).toEqual(patternBytes(1, 1000));
  expect(store.counts.get).toBe(1);
});

test('a damaged object is reported once and not fetched again until it is healed', async () => {
  const { downloads, damaged, store, damages, rows } = setup(4, 1);
  store.before = () => {};
  store.content.set('s3ql_data_1', patternBytes(99, 1000));
  await expect(downloads.get(PLACE, row(rows, 0), copy)).rejects.toMatchObject({ code: 'EIO' });
  await expect(downloads.get(PLACE, row(rows, 0), copy)).rejects.toMatchObject({ code: 'EIO' });
  expect(store.counts.get).toBe(1);
  expect(damages).toMatchObject([{ ...PLACE, key: 's3ql_data_1' }]);
  store.content.set('s3ql_data_1', patternBytes(1, 1000));
  damaged.delete(1 as ObjectId);
  expect(await downloads.get(PLACE, row(rows, 0), copy)).toHaveLength(1000);
});

test('a failure of the store is no damage: the next read tries again', async () => {
  const { downloads, store, damages, rows } = setup(4, 1);
  store.before = () => {
    throw storeFailure();
  };
  await expect(downloads.get(PLACE, row(rows, 0), copy)).rejects.toMatchObject({ code: 'EIO' });
  store.before = () => {};
  expect(await downloads.get(PLACE, row(rows, 0), copy)).toHaveLength(1000);
  expect(damages).toEqual([]);
});
