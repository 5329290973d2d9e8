import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';
import { BLOCKS_PER_SLICE } from './block-ranges.ts';
import { openBlockCache } from './open-block-cache.ts';

const BLOCK = 8192;
const FILE = inodeId(10);
const BLOCK_COUNT = BLOCKS_PER_SLICE + 20;

test('a truncation in slices that a crash cut short leaves nothing behind the end of the file', async () => {
  await using fixture = await BlockCacheFixture.open();
  const { database } = fixture;
  for (let block = 0; block < BLOCK_COUNT; block++) await fixture.write(FILE, block * BLOCK, patternBytes(block, 16));
  await fixture.cache.drop();
  const truncated = fixture.cache.truncate(FILE, BigInt(BLOCK), () => database.setSize(FILE, BigInt(BLOCK)));
  expect(fixture.cache.isOrdered).toBe(false);
  // After the first of the slices.
  const epoch = database.commit();
  await fixture.cache.syncOrdered();

  const left = database.fork(epoch);
  expect(left.get(FILE, BLOCK_COUNT - 1)).toBeDefined();
  const directory = mkdtempSync(join(tmpdir(), 's3ql-truncations-'));
  try {
    cpSync(fixture.directory, directory, { recursive: true });
    const { cache } = await openBlockCache({
      directory,
      blockSizeBytes: BLOCK,
      database: left,
      objects: fixture.store,
      limits: { sizeBytes: 64 * 1024 * 1024, entryCount: 10_000 },
      compression: { algorithm: 'none', level: 0 },
      requestDurable: () => Promise.resolve(),
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
    left.setSize(FILE, BigInt(BLOCK_COUNT * BLOCK));
    expect([left.get(FILE, 0) === undefined, left.get(FILE, 1), left.get(FILE, BLOCK_COUNT - 1)]).toEqual([false, undefined, undefined]);
    const end = new Uint8Array(16).fill(1);
    await cache.read(FILE, BigInt((BLOCK_COUNT - 1) * BLOCK), end);
    expect([...end]).toEqual(Array.from({ length: 16 }, () => 0));
    expect(readFileSync(join(directory, 'truncations'), 'latin1')).toBe('10\n');
    left.commit();
    cache.epochDurable(left.makeDurable());
    expect(readFileSync(join(directory, 'truncations'), 'latin1')).toBe('');
    await cache.close({ keep: false });
  } finally {
    rmSync(directory, { recursive: true });
  }

  await truncated;
  await fixture.durable();
  expect(readFileSync(join(fixture.directory, 'truncations'), 'latin1')).toBe('');
});
