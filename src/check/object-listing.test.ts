import { expect, test } from 'vitest';
import { silentProgress } from '../util/progress.ts';
import { MapObjectStore } from '../../tests/support/map-object-store.ts';
import { ObjectListing } from './object-listing.ts';

test('data objects are found by number, whatever the order of the listing; other names are left out', async () => {
  const store = new MapObjectStore();
  for (const key of ['s3ql_data_10', 's3ql_data_9', 's3ql_data_x', 's3ql_data_07', 's3ql_params'])
    store.objects.set(key, new Uint8Array(3));
  const listing = await ObjectListing.load(store, { progress: silentProgress });
  expect([...listing.ids]).toEqual([9, 10]);
  expect([listing.has(9), listing.has(7), listing.highestId]).toEqual([true, false, 10]);
});

test('what others do not have is told by merging, at both ends', () => {
  const listing = new ObjectListing([
    [5, 1],
    [1, 1],
    [3, -1],
    [9, 1],
  ]);
  expect([...listing.without([3, 4, 5])]).toEqual([1, 9]);
  expect([...listing.without([])]).toEqual([1, 3, 5, 9]);
  expect([listing.sizeOf(5), listing.sizeOf(3), listing.sizeOf(4)]).toEqual([1, undefined, undefined]);
});

test('whoever is merged with is told when no more is needed', () => {
  let closed = false;
  function* endless(): Generator<number> {
    try {
      for (let id = 1; ; id++) yield id;
    } finally {
      closed = true;
    }
  }
  expect([...new ObjectListing([[2, 1]]).without(endless())]).toEqual([]);
  expect(closed).toBe(true);
});
