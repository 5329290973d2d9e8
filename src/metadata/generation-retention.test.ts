import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MapObjectStore } from '../../tests/support/map-object-store.ts';
import { GenerationCatalog, unneededPieces } from './generation-retention.ts';
import type { Generation } from './generations.ts';
import { generationKey, pieceKey } from './object-keys.ts';
import { PieceVersions } from './piece-versions.ts';
import { keepNewest, type RetentionPolicy, thin } from './retention-policy.ts';
import { type Superblock, writeSuperblock } from './superblock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
// The beginning of a week, so that the periods have whole lengths.
const NOW = 3000 * WEEK;

function superblock(seqNo: number, pieceCount: number, dateMs: number = NOW): Superblock {
  return {
    dataBlockSizeBytes: 1024,
    metadataBlockSizeBytes: 4096,
    seqNo,
    databaseSizeBytes: pieceCount * 4096,
    revision: 26,
    label: '',
    needsFsck: false,
    isMounted: false,
    inodeGeneration: 0,
    lastFsckSeconds: 0,
    lastModifiedSeconds: dateMs / 1000,
    databaseDigestHex: '',
  };
}

const generation = (seqNo: number, pieceCount: number): Generation => ({
  seqNo,
  superblock: superblock(seqNo, pieceCount),
  problem: undefined,
});

/** By definition: for every generation and piece the greatest version not above the generation. */
function neededByDefinition(versions: ReadonlyArray<readonly [number, number]>, generations: readonly Generation[]): Set<string> {
  const needed = new Set<string>();
  for (const { seqNo, superblock } of generations) {
    const pieceCount = superblock ? superblock.databaseSizeBytes / superblock.metadataBlockSizeBytes : 100;
    for (let piece = 0; piece < pieceCount; piece++) {
      const candidates = versions.filter(([number, version]) => number === piece && version <= seqNo).map(([, version]) => version);
      if (candidates.length > 0) needed.add(`${piece} ${Math.max(...candidates)}`);
    }
  }
  return needed;
}

test('a version is unneeded exactly if no generation takes it and it is not newer than all generations', () => {
  const version = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 12 }));
  fc.assert(
    fc.property(
      fc.uniqueArray(version, { selector: String }),
      fc.uniqueArray(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 5 })), { selector: ([seqNo]) => seqNo }),
      fc.boolean(),
      (pairs, kept, unreadable) => {
        const generations = kept.map(([seqNo, count]) =>
          unreadable && count === 0 ? { seqNo, superblock: undefined, problem: 'damaged' } : generation(seqNo, count),
        );
        const versions = new PieceVersions();
        for (const [piece, seqNo] of pairs) versions.add(piece, seqNo);
        const needed = neededByDefinition(pairs, generations);
        const newest = Math.max(-1, ...generations.map(({ seqNo }) => seqNo));
        const expected = pairs.filter(([piece, seqNo]) => seqNo <= newest && !needed.has(`${piece} ${seqNo}`));
        const found = unneededPieces(versions, generations).map(({ piece, seqNo }) => `${piece} ${seqNo}`);
        expect(new Set(found)).toEqual(new Set(expected.map(([piece, seqNo]) => `${piece} ${seqNo}`)));
        expect(found.length).toBe(expected.length);
      },
    ),
  );
});

const dated = (ages: readonly number[]): Array<{ seqNo: number; dateMs: number }> =>
  ages.map((age, index) => ({ seqNo: ages.length - index, dateMs: NOW - age }));

test('thinning keeps all of the last hour, one an hour for a day, one a day for two weeks, one a week for twelve', () => {
  const ages = Array.from({ length: 40_000 }, (_, index) => index * 5 * 60_000);
  const generations = dated(ages);
  const kept = thin(generations, NOW);
  const count = (from: number, to: number): number =>
    generations.filter(({ seqNo, dateMs }) => kept.has(seqNo) && NOW - dateMs >= from && NOW - dateMs < to).length;
  expect(count(0, HOUR)).toBe(12);
  // The newest 32 reach back further than an hour.
  expect(count(HOUR + 1, DAY)).toBe(40);
  expect(count(2 * DAY, 14 * DAY)).toBe(12);
  expect(count(21 * DAY, 84 * DAY)).toBe(9);
  expect(count(85 * DAY, 1000 * DAY)).toBe(0);
});

test('thinning what was thinned gives up nothing at the same moment, and old ones stay while they are the newest', () => {
  const day = fc.integer({ min: 0, max: 120 * DAY });
  fc.assert(
    fc.property(fc.array(day, { maxLength: 200 }), (ages) => {
      const generations = dated(ages.toSorted((a, b) => a - b));
      const once = thin(generations, NOW);
      const left = generations.filter(({ seqNo }) => once.has(seqNo));
      expect(thin(left, NOW)).toEqual(once);
      expect(left.length).toBeGreaterThanOrEqual(Math.min(32, generations.length));
    }),
  );
});

async function filledStore(): Promise<MapObjectStore> {
  const store = new MapObjectStore();
  for (let seqNo = 1; seqNo <= 6; seqNo++) {
    store.objects.set(generationKey(seqNo), writeSuperblock(superblock(seqNo, 2)));
    store.objects.set(pieceKey(seqNo % 2, seqNo), new Uint8Array(1));
  }
  store.objects.set(pieceKey(0, 7), new Uint8Array(1));
  store.objects.set('s3ql_data_1', new Uint8Array(1));
  return store;
}

test('expiry deletes superblocks first, then what nobody needs, and nothing of an unfinished upload', async () => {
  const store = await filledStore();
  const catalog = await GenerationCatalog.load(store);
  const deleted: string[] = [];
  store.onRequest = (operation, key) => {
    if (operation === 'delete') deleted.push(key);
  };
  expect(await catalog.expire(keepNewest(2), NOW)).toEqual({ deletedGenerationCount: 4, deletedPieceCount: 3 });
  expect(deleted.slice(0, 4).sort()).toEqual([1, 2, 3, 4].map(generationKey));
  expect([...store.objects.keys()].sort()).toEqual(
    ['s3ql_data_1', pieceKey(0, 4), pieceKey(0, 6), pieceKey(0, 7), pieceKey(1, 5), generationKey(5), generationKey(6)].sort(),
  );
  expect(await catalog.expire(keepNewest(2), NOW)).toEqual({ deletedGenerationCount: 0, deletedPieceCount: 0 });
});

test('an expiry that was interrupted is completed by the next', async () => {
  for (let failAt = 0; failAt < 7; failAt++) {
    const store = await filledStore();
    let count = 0;
    store.onRequest = (operation) => {
      if (operation === 'delete' && count++ === failAt) throw new Error('store away');
    };
    const catalog = await GenerationCatalog.load(store);
    await expect(catalog.expire(keepNewest(2), NOW)).rejects.toThrow('store away');
    const later = failAt % 2 === 0 ? catalog : await GenerationCatalog.load(store);
    await later.expire(keepNewest(2), NOW);
    expect(store.objects.size).toBe(7);
  }
});

test('what this machine uploads is expired without listing the store again', async () => {
  const store = await filledStore();
  const catalog = await GenerationCatalog.load(store);
  catalog.add(superblock(8, 2), [0]);
  store.objects.set(pieceKey(0, 8), new Uint8Array(1));
  store.onRequest = (operation) => {
    if (operation === 'list') throw new Error('listed again');
  };
  await catalog.expire(keepNewest(1), NOW);
  expect([...store.objects.keys()].filter((key) => key.startsWith('s3ql_metadata')).sort()).toEqual([pieceKey(0, 8), pieceKey(1, 5)]);
});

test('the newest generation stays whatever the policy says', async () => {
  const store = await filledStore();
  const nothing: RetentionPolicy = () => new Set();
  await (await GenerationCatalog.load(store)).expire(nothing, NOW);
  expect(store.objects.has(generationKey(6))).toBe(true);
  expect(store.objects.has(pieceKey(0, 6)) && store.objects.has(pieceKey(1, 5))).toBe(true);
});
