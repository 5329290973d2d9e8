import { expect, test } from 'vitest';
import { NoSuchObjectError } from '../backends/errors.ts';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';

const BLOCK = 8192;
const FILE = inodeId(10);
const OTHER = inodeId(11);
const HUGE = 2n ** 63n - 1n;

test('a file of 8 EiB with a byte at its end costs one block', async () => {
  await using fixture = await BlockCacheFixture.open();
  fixture.database.setSize(FILE, HUGE);
  expect(fixture.cache.write(FILE, HUGE - 1n, Uint8Array.of(9))).toBeUndefined();
  expect(fixture.cache.seekData(FILE, 0n)).toBe(((HUGE - 1n) / BigInt(BLOCK)) * BigInt(BLOCK));
  expect(fixture.cache.seekHole(FILE, 5n)).toBe(5n);
  const into = new Uint8Array(1);
  await fixture.cache.read(FILE, HUGE - 1n, into);
  expect(into).toEqual(Uint8Array.of(9));
  expect(fixture.cache.punch(FILE, 1n, HUGE - 2n)).toBeUndefined();
  expect(fixture.cache.truncate(FILE, 1n)).toBeUndefined();
  expect(fixture.cache.remove(FILE)).toBeUndefined();
  expect(fixture.cache.stats().entryCount).toBe(0);
});

test('giving up many blocks lets other things happen in between', async () => {
  await using fixture = await BlockCacheFixture.open({ blockSizeBytes: 1024, limits: { sizeBytes: 2 ** 30, entryCount: 100_000 } });
  fixture.database.setSize(FILE, 3000n * 1024n);
  await fixture.cache.write(FILE, 0n, patternBytes(1, 3000 * 1024));
  let turns = 0;
  let done = false;
  const turn = (): void => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const removed = fixture.cache.remove(FILE);
  expect(removed).toBeInstanceOf(Promise);
  await removed;
  done = true;
  expect(turns).toBeGreaterThan(3);
  expect(fixture.cache.stats().entryCount).toBe(0);
});

test('data and holes are told apart, whether cached or stored', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, BLOCK, patternBytes(1, 2 * BLOCK));
  await fixture.cache.drop();
  await fixture.write(FILE, 3 * BLOCK, patternBytes(2, 100));
  await fixture.write(FILE, 6 * BLOCK, patternBytes(3, 100));
  const { cache } = fixture;
  expect(cache.seekData(FILE, 0n)).toBe(BigInt(BLOCK));
  expect(cache.seekData(FILE, BigInt(BLOCK + 7))).toBe(BigInt(BLOCK + 7));
  expect(cache.seekHole(FILE, BigInt(BLOCK + 7))).toBe(BigInt(4 * BLOCK));
  expect(cache.seekData(FILE, BigInt(4 * BLOCK))).toBe(BigInt(6 * BLOCK));
  expect(cache.seekData(FILE, BigInt(7 * BLOCK))).toBeUndefined();
  expect(cache.allocatedBytes(FILE)).toBe(BigInt(2 * BLOCK + 200));
  expect(cache.isCached(FILE, 0n, BLOCK)).toBe(true);
  expect(cache.isCached(FILE, BigInt(BLOCK), 1)).toBe(false);
  expect(cache.hasDirtyBlocks(FILE)).toBe(true);
  await cache.flush(FILE);
  expect(cache.hasDirtyBlocks(FILE)).toBe(false);
});

test('a clone of whole blocks copies references, not bytes', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 3 * BLOCK);
  await fixture.write(FILE, BLOCK, data);
  await fixture.write(OTHER, 0, patternBytes(2, 6 * BLOCK));
  await fixture.cache.clone(FILE, 0n, OTHER, BigInt(BLOCK), BigInt(4 * BLOCK));
  expect(fixture.store.counts.put).toBe(3);
  const read = await fixture.read(OTHER, 0, 6 * BLOCK);
  expect(Buffer.compare(read.subarray(0, BLOCK), patternBytes(2, 6 * BLOCK).subarray(0, BLOCK))).toBe(0);
  expect(read.subarray(BLOCK, 2 * BLOCK)).toEqual(new Uint8Array(BLOCK));
  expect(Buffer.compare(read.subarray(2 * BLOCK, 5 * BLOCK), data)).toBe(0);
  expect(Buffer.compare(read.subarray(5 * BLOCK), patternBytes(2, 6 * BLOCK).subarray(5 * BLOCK))).toBe(0);
  fixture.database.check();
});

test('the block with which a file ends is cloned by reference once it is in the store', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, BLOCK + 100);
  await fixture.write(FILE, 0, data);
  await fixture.cache.flush();
  fixture.database.setSize(OTHER, 0n);
  await fixture.cache.clone(FILE, 0n, OTHER, 0n, BigInt(BLOCK + 100));
  expect(fixture.cache.hasDirtyBlocks(OTHER)).toBe(false);
  expect(fixture.database.usage(OTHER).blockCount).toBe(2);
  expect(Buffer.compare(await fixture.read(OTHER, 0, BLOCK + 100), data)).toBe(0);
  await fixture.write(OTHER, BLOCK + 50, patternBytes(2, 10));
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK + 100), data)).toBe(0);
  fixture.database.check();
});

test.each([
  ['it changed since it was stored', (fixture: BlockCacheFixture) => fixture.write(FILE, 0, patternBytes(3, 100))],
  ['the target goes on behind it', (fixture: BlockCacheFixture) => fixture.write(OTHER, 0, patternBytes(2, 500))],
  [
    'it goes on behind the range',
    (fixture: BlockCacheFixture) => fixture.write(FILE, 0, patternBytes(1, 200)).then(() => fixture.cache.flush()),
  ],
])('the end of a file is cloned byte by byte if %s', async (_reason, prepare) => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 100));
  await fixture.cache.flush();
  fixture.database.setSize(OTHER, 0n);
  await prepare(fixture);
  const before = await fixture.read(OTHER, 0, 500);
  await fixture.cache.clone(FILE, 0n, OTHER, 0n, 100n);
  expect(fixture.cache.hasDirtyBlocks(OTHER)).toBe(true);
  const after = await fixture.read(OTHER, 0, 500);
  expect(Buffer.compare(after.subarray(0, 100), await fixture.read(FILE, 0, 100))).toBe(0);
  expect(Buffer.compare(after.subarray(100), before.subarray(100))).toBe(0);
});

test('a clone between unaligned offsets copies bytes and keeps holes', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 100);
  await fixture.write(FILE, 10 * BLOCK + 5, data);
  fixture.database.setSize(OTHER, 0n);
  await fixture.cache.clone(FILE, 5n, OTHER, 0n, BigInt(10 * BLOCK + 100));
  expect(fixture.cache.seekData(OTHER, 0n)).toBe(BigInt(9 * BLOCK));
  expect(Buffer.compare(await fixture.read(OTHER, 10 * BLOCK, 100), data)).toBe(0);
  expect(await fixture.read(OTHER, 0, 10 * BLOCK)).toEqual(new Uint8Array(10 * BLOCK));
});

test('the last, partial block of a copy is a reference as well once it is stored', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 2 * BLOCK + 100);
  await fixture.write(FILE, 0, data);
  await fixture.cache.flush();
  fixture.database.setSize(OTHER, 0n);
  await fixture.cache.clone(FILE, 0n, OTHER, 0n, BigInt(data.length));
  expect(fixture.cache.hasDirtyBlocks(OTHER)).toBe(false);
  expect(fixture.database.usage(OTHER)).toEqual(fixture.database.usage(FILE));
  expect(Buffer.compare(await fixture.read(OTHER, 0, data.length), data)).toBe(0);
  fixture.database.check();
});

test.each([
  ['the source goes on behind it', 50, 0],
  ['the target has bytes behind it', 100, 500],
])('a partial block is copied if %s', async (_what, copiedBytes, targetBytes) => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 100);
  const old = patternBytes(2, targetBytes);
  await fixture.write(FILE, 0, data);
  await fixture.write(OTHER, 0, old);
  await fixture.cache.flush();
  await fixture.cache.clone(FILE, 0n, OTHER, 0n, BigInt(copiedBytes));
  const length = Math.max(copiedBytes, targetBytes);
  const expected = Buffer.concat([data.subarray(0, copiedBytes), old.subarray(copiedBytes)]);
  expect(Buffer.compare(await fixture.read(OTHER, 0, length), expected)).toBe(0);
  expect(await fixture.read(OTHER, length, 100)).toEqual(new Uint8Array(100));
});

test('a copy that fails in the middle has told how far it came', async () => {
  await using fixture = await BlockCacheFixture.open({ readAheadBytes: 0 });
  const data = patternBytes(1, 4 * BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.cache.drop();
  fixture.database.setSize(OTHER, 0n);
  fixture.store.before = (operation, [key]) => {
    if (operation === 'get' && fixture.store.counts.get > 2) throw new NoSuchObjectError(String(key));
  };
  let done = 0n;
  const onProgress = (bytes: bigint): void => void (done = bytes);
  await expect(fixture.cache.clone(FILE, 1n, OTHER, 0n, BigInt(3 * BLOCK), { onProgress })).rejects.toMatchObject({ code: 'EIO' });
  expect(done).toBe(BigInt(2 * BLOCK - 1));
  expect(Buffer.compare(await fixture.read(OTHER, 0, Number(done)), data.subarray(1, 2 * BLOCK))).toBe(0);
});

test('an aborted clone stops and says so', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 3 * BLOCK));
  await expect(
    fixture.cache.clone(FILE, 0n, FILE, BigInt(4 * BLOCK), BigInt(BLOCK), { signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({
    code: 'EINTR',
  });
});

test('the size is set in the step in which a truncation takes place, also if the last block must be fetched', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 3 * BLOCK));
  await fixture.cache.drop();
  const events: string[] = [];
  const truncated = fixture.cache.truncate(FILE, 100n, () => events.push(`applied, ${fixture.database.usage(FILE).blockCount} rows`));
  expect(events).toEqual([]);
  await truncated;
  expect(events).toEqual(['applied, 3 rows']);
  expect(fixture.database.usage(FILE).blockCount).toBe(1);
});

test('the beginning of a file can be fetched ahead of its reader: once, and only what is not here', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, 100);
  await fixture.write(FILE, 0, data);
  await fixture.cache.drop();
  fixture.cache.prefetch(FILE, () => true);
  fixture.cache.prefetch(OTHER, () => true);
  expect(Buffer.compare(await fixture.read(FILE, 0, 100), data)).toBe(0);
  fixture.cache.prefetch(FILE, () => true);
  expect(Buffer.compare(await fixture.read(FILE, 0, 100), data)).toBe(0);
  expect(fixture.store.counts.get).toBe(1);
});

test('what nobody wants any more is not fetched ahead', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 100));
  await fixture.cache.drop();
  fixture.cache.prefetch(FILE, () => false);
  expect(fixture.store.counts.get).toBe(0);
  expect(fixture.cache.isCached(FILE, 0n, 100)).toBe(false);
});

test('a sequential reader has later blocks fetched ahead, one that jumps has not', async () => {
  const blockSizeBytes = 64 * 1024;
  await using fixture = await BlockCacheFixture.open({ blockSizeBytes });
  const size = 60 * blockSizeBytes;
  await fixture.write(FILE, 0, patternBytes(1, size));
  await fixture.cache.drop();
  const into = new Uint8Array(1024);
  const reader = { handle: 1, fileSize: BigInt(size) };
  for (const block of [50, 5, 30]) await fixture.cache.read(FILE, BigInt(block * blockSizeBytes), into, reader);
  expect(fixture.store.counts.get).toBe(3);
  const whole = new Uint8Array(blockSizeBytes);
  for (let block = 0; block < 5; block++) await fixture.cache.read(FILE, BigInt(block * blockSizeBytes), whole, { ...reader, handle: 2 });
  // Besides those three and the five that were read: the window was 1, 2, 4, so 6 and 7 at least.
  expect(fixture.store.counts.get).toBeGreaterThanOrEqual(10);
});
