import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';
import type * as Libc from '../util/libc.ts';
import { SystemCallError } from '../util/system-call-error.ts';

const EOPNOTSUPP = 95;

vi.mock('../util/libc.ts', async (original) => ({
  ...(await original<typeof Libc>()),
  fallocateSync: () => {
    throw new SystemCallError('fallocate', EOPNOTSUPP);
  },
  fallocate: () => Promise.reject(new SystemCallError('fallocate', EOPNOTSUPP)),
}));

const BLOCK = 8192;
const FILE = inodeId(10);

test('where holes cannot be punched the limit holds, and dead blocks leave no bytes', async () => {
  const sizeBytes = 20 * BLOCK;
  await using fixture = await BlockCacheFixture.open({ limits: { sizeBytes, entryCount: 1000 } });
  const data = patternBytes(1, 60 * BLOCK);
  for (let block = 0; block < 60; block++) {
    await fixture.write(FILE, block * BLOCK, data.subarray(block * BLOCK, (block + 1) * BLOCK));
    expect(fixture.cache.stats().sizeBytes).toBeLessThanOrEqual(sizeBytes);
  }
  expect(Buffer.compare(await fixture.read(FILE, 0, data.length), data)).toBe(0);
  await fixture.cache.drop();
  expect(readdirSync(fixture.directory).filter((name) => /^[0-9]+$/.test(name))).toEqual([]);
});

test('where holes cannot be punched a shortened block still ends in zeros after a crash', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await fixture.cache.truncate(FILE, 100n);
  fixture.database.setSize(FILE, 100n);
  await fixture.durable();
  await fixture.open();
  await fixture.write(FILE, 5000, Uint8Array.of(1));
  const read = await fixture.read(FILE, 0, BLOCK);
  expect(Buffer.compare(read.subarray(0, 100), patternBytes(1, 100))).toBe(0);
  expect(read.subarray(100, 5000)).toEqual(new Uint8Array(4900));
});
