import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';

const BLOCK = 8192;
const FILE = inodeId(10);
const OTHER = inodeId(11);

test('a block is uploaded by itself some time after its last change', async () => {
  await using fixture = await BlockCacheFixture.open({ dirtyUploadDelayMs: 1 });
  const uploaded = Promise.withResolvers<void>();
  fixture.store.before = (operation) => {
    if (operation === 'put') uploaded.resolve();
  };
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await uploaded.promise;
  await fixture.cache.flush();
  expect(fixture.store.counts.put).toBe(1);
});

test('equal blocks that are uploaded at the same time become one object', async () => {
  await using fixture = await BlockCacheFixture.open({ maxUploads: 8 });
  const data = patternBytes(1, BLOCK);
  for (let block = 0; block < 8; block++) await fixture.write(FILE, block * BLOCK, data);
  await fixture.cache.flush();
  expect(fixture.store.counts.put).toBe(1);
  fixture.database.check();
});

test('uploads run at the same time, but no more than allowed', async () => {
  await using fixture = await BlockCacheFixture.open({ maxUploads: 3 });
  const three = Promise.withResolvers<void>();
  fixture.store.before = (operation) => {
    if (operation !== 'put') return undefined;
    if (fixture.store.active.put === 3) three.resolve();
    return three.promise;
  };
  await fixture.write(FILE, 0, patternBytes(1, 20 * BLOCK));
  await fixture.cache.flush();
  expect(fixture.store.maxActive.put).toBe(3);
});

test('a block that changes during its upload stays dirty, and no torn state is linked', async () => {
  await using fixture = await BlockCacheFixture.open();
  const [before, after] = [patternBytes(1, BLOCK), patternBytes(2, BLOCK)];
  await fixture.write(FILE, 0, before);
  fixture.store.before = (operation) => {
    fixture.store.before = () => {};
    if (operation === 'hash') return fixture.write(FILE, 0, after);
    return undefined;
  };
  const [first] = await Promise.all([fixture.cache.flush(), Promise.resolve()]);
  expect(first).toBeUndefined();
  const objects = [...fixture.store.content.values()];
  expect(objects).toHaveLength(1);
  expect(Buffer.compare(objects[0] ?? Buffer.alloc(0), after)).toBe(0);
});

test('a file that is removed during its upload leaves no object behind', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  fixture.store.before = async (operation) => {
    if (operation !== 'put') return;
    fixture.store.before = () => {};
    await fixture.cache.remove(FILE);
    fixture.database.deleteInode(FILE);
  };
  await fixture.cache.flush();
  await fixture.close();
  expect(fixture.store.counts.put).toBe(1);
  expect(fixture.store.content.size).toBe(0);
  fixture.database.check();
});

test('an aborted flush returns although the store hangs', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  const hang = Promise.withResolvers<void>();
  const abort = new AbortController();
  fixture.store.before = (operation) => {
    if (operation !== 'put') return undefined;
    abort.abort();
    return hang.promise;
  };
  await expect(fixture.cache.flush(undefined, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
  hang.resolve();
});

test('a flush of one file leaves others alone and reports its progress', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 2 * BLOCK));
  await fixture.write(OTHER, 0, patternBytes(2, BLOCK));
  const progress: number[] = [];
  await fixture.cache.flush(FILE, { onProgress: ({ blocksDone, blocksTotal }) => progress.push(blocksDone / blocksTotal) });
  expect(progress).toEqual([0.5, 1]);
  expect(fixture.cache.stats().dirtyEntryCount).toBe(1);
});
