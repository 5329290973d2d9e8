import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';
import { storeFailure } from '../../tests/support/blocks/fake-object-store.ts';
import { NoSpaceError } from '../backends/errors.ts';

const BLOCK = 8192;
const FILE = inodeId(10);

test('with the store failing, writers get ENOSPC at the limit if so configured, and nothing is lost', async () => {
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes: 20 * BLOCK, entryCount: 1000 }, whenStuck: 'fail' });
  fixture.store.before = (operation) => {
    if (operation === 'put') throw storeFailure();
  };
  let written = 0;
  await expect(
    (async () => {
      for (; written < 100; written++) await fixture.write(FILE, written * BLOCK, patternBytes(written, BLOCK));
    })(),
  ).rejects.toMatchObject({ code: 'ENOSPC' });
  fixture.store.before = () => {};
  await fixture.cache.flush();
  for (let block = 0; block < written; block++) {
    expect(Buffer.compare(await fixture.read(FILE, block * BLOCK, BLOCK), patternBytes(block, BLOCK))).toBe(0);
  }
});

test('a full store is ENOSPC for writers once the cache is full', async () => {
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes: 20 * BLOCK, entryCount: 1000 } });
  fixture.store.before = (operation) => {
    if (operation === 'put') throw new NoSpaceError('no room');
  };
  await expect(
    (async () => {
      for (let block = 0; block < 100; block++) await fixture.write(FILE, block * BLOCK, patternBytes(block, BLOCK));
    })(),
  ).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(fixture.cache.uploadFailure).toBeInstanceOf(NoSpaceError);
});

test('a disk without more than the reserve is ENOSPC at once', async () => {
  await using fixture = await BlockCacheFixture.open({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
  await expect(fixture.write(FILE, 0, patternBytes(1, BLOCK))).rejects.toMatchObject({ code: 'ENOSPC' });
});

test('the entry limit holds while writing', async () => {
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes: 10_000_000, entryCount: 8 } });
  for (let inode = 100; inode < 160; inode++) {
    await fixture.write(inodeId(inode), 0, patternBytes(inode, 100));
    expect(fixture.cache.stats().entryCount).toBeLessThanOrEqual(8);
  }
  for (let inode = 100; inode < 160; inode++) {
    expect(Buffer.compare(await fixture.read(inodeId(inode), 0, 100), patternBytes(inode, 100))).toBe(0);
  }
});

test('a lowered limit is reached by evicting what is clean', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, 64 * BLOCK));
  await fixture.cache.flush();
  await fixture.durable();
  await fixture.cache.setLimits({ sizeBytes: 16 * BLOCK, entryCount: 1000 });
  expect(fixture.cache.stats().sizeBytes).toBeLessThanOrEqual(16 * BLOCK);
});

test('only so many segment files are open', async () => {
  await using fixture = await BlockCacheFixture.open({ maxOpenSegments: 2 });
  const data = patternBytes(1, 64 * 6);
  for (let inode = 100; inode < 100 + data.length; inode++) await fixture.write(inodeId(inode), 0, data.subarray(inode - 100, inode - 99));
  for (let inode = 100; inode < 100 + data.length; inode++) {
    expect(await fixture.read(inodeId(inode), 0, 1)).toEqual(data.slice(inode - 100, inode - 99));
  }
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(fixture.directory) && /\d$/.test(path);
    } catch {
      return false;
    }
  });
  expect(open.length).toBeLessThanOrEqual(2);
});

test('reads go on while the cache is full of dirty blocks', async () => {
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes: 20 * BLOCK, entryCount: 1000 }, whenStuck: 'fail' });
  const stored = patternBytes(1, 4 * BLOCK);
  await fixture.write(FILE, 0, stored);
  await fixture.cache.drop();
  fixture.store.before = (operation) => {
    if (operation === 'put') throw storeFailure();
  };
  const other = inodeId(11);
  await expect(
    (async () => {
      for (let block = 0; block < 100; block++) await fixture.write(other, block * BLOCK, patternBytes(block, BLOCK));
    })(),
  ).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(Buffer.compare(await fixture.read(FILE, 0, stored.length), stored)).toBe(0);
});
