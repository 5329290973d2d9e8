import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';
import { storeFailure } from '../../tests/support/blocks/fake-object-store.ts';

const BLOCK = 8192;
const FILE = inodeId(10);
const OTHER = inodeId(11);

function segmentFiles(fixture: BlockCacheFixture): string[] {
  return readdirSync(fixture.directory).filter((name) => /^[0-9]+$/.test(name));
}

test('what was written reads back, across blocks and behind holes', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 3 * BLOCK);
  expect(fixture.cache.write(FILE, 5000n, data)).toBeUndefined();
  const read = await fixture.read(FILE, 0, 5000 + data.length + 100);
  expect(read.subarray(0, 5000)).toEqual(new Uint8Array(5000));
  expect(Buffer.compare(read.subarray(5000, 5000 + data.length), data)).toBe(0);
  expect(read.subarray(-100)).toEqual(new Uint8Array(100));
});

test('a flush uploads, equal blocks share an object, and eviction leaves the content to the store', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(2, BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.write(OTHER, BLOCK, data);
  await fixture.cache.flush();
  expect(fixture.store.counts.put).toBe(1);
  fixture.database.check();
  await fixture.cache.drop();
  expect(fixture.cache.stats()).toMatchObject({ entryCount: 0, sizeBytes: 0 });
  expect(segmentFiles(fixture)).toEqual([]);
  expect(Buffer.compare(await fixture.read(OTHER, BLOCK, BLOCK), data)).toBe(0);
  expect(fixture.store.counts.get).toBe(1);
});

test('a truncated tail reads as zeros when the file grows again', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(3, 2 * BLOCK));
  await fixture.cache.flush();
  await fixture.cache.truncate(FILE, 100n);
  expect(await fixture.read(FILE, 100, BLOCK)).toEqual(new Uint8Array(BLOCK));
  await fixture.write(FILE, 1000, Uint8Array.of(7));
  const read = await fixture.read(FILE, 100, BLOCK);
  expect(read.filter((byte) => byte !== 0)).toEqual(Uint8Array.of(7));
});

test('after a crash dirty blocks are there and clean ones come from the store', async () => {
  await using fixture = await BlockCacheFixture.open();
  const [first, second] = [patternBytes(4, BLOCK), patternBytes(5, BLOCK)];
  await fixture.write(FILE, 0, first);
  await fixture.cache.flush();
  await fixture.write(OTHER, 0, second);
  await fixture.durable();
  await fixture.open();
  expect(fixture.recovery).toMatchObject({ crashed: true, dirtyBlockCount: 1, cleanBlockCount: 0 });
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK), first)).toBe(0);
  expect(Buffer.compare(await fixture.read(OTHER, 0, BLOCK), second)).toBe(0);
});

test('a kept cache is there again after a clean end', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(6, BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.cache.flush();
  await fixture.durable();
  await fixture.close(true);
  await fixture.open();
  expect(fixture.recovery).toMatchObject({ crashed: false, dirtyBlockCount: 0, cleanBlockCount: 1 });
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK), data)).toBe(0);
  expect(fixture.store.counts.get).toBe(0);
});

test('a removed file leaves neither bytes on disk nor, once a generation is complete, objects', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(7, 3 * BLOCK));
  await fixture.cache.flush();
  await fixture.durable();
  await fixture.cache.remove(FILE);
  fixture.database.deleteInode(FILE);
  await fixture.durable();
  expect(fixture.cache.stats()).toMatchObject({ entryCount: 0, pendingRemovalCount: 3 });
  expect(fixture.store.content.size).toBe(3);
  fixture.cache.generationComplete(fixture.database.durableEpoch);
  await fixture.close();
  expect(fixture.store.content.size).toBe(0);
});

test('a failed upload leaves the block dirty and says so', async () => {
  const states: unknown[] = [];
  await using fixture = await BlockCacheFixture.open({ onUploadState: (error) => states.push(error) });
  await fixture.write(FILE, 0, patternBytes(8, BLOCK));
  fixture.store.before = (operation) => {
    if (operation === 'put') throw storeFailure();
  };
  await expect(fixture.cache.flush()).rejects.toMatchObject({ code: 'EIO' });
  expect(fixture.cache.stats().dirtyEntryCount).toBe(1);
  fixture.store.before = () => {};
  await fixture.cache.flush();
  expect(fixture.cache.stats().dirtyEntryCount).toBe(0);
  expect(states).toEqual([expect.any(Error), undefined]);
});

test('writers wait at the byte limit until uploads have made room', async () => {
  const sizeBytes = 16 * BLOCK;
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes, entryCount: 1000 } });
  const data = patternBytes(9, 100 * BLOCK);
  for (let block = 0; block < 100; block++) {
    await fixture.write(FILE, block * BLOCK, data.subarray(block * BLOCK, (block + 1) * BLOCK));
    expect(fixture.cache.stats().sizeBytes).toBeLessThanOrEqual(sizeBytes);
  }
  expect(Buffer.compare(await fixture.read(FILE, 0, data.length), data)).toBe(0);
});
