import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';
import type { BlockDamage } from './block-cache-options.ts';

const BLOCK = 8192;
const FILE = inodeId(10);

interface Damaged {
  readonly fixture: BlockCacheFixture;
  readonly damages: BlockDamage[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A file of three stored blocks that are not cached, the middle one damaged in the store. */
async function damagedFile(): Promise<Damaged> {
  const damages: BlockDamage[] = [];
  const fixture = await BlockCacheFixture.open({ onDamage: (damage) => damages.push(damage), readAheadBytes: 0 });
  const data = patternBytes(1, 3 * BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.cache.drop();
  const middle = fixture.database.get(FILE, 1)?.objectId;
  fixture.store.content.set(`s3ql_data_${middle}`, patternBytes(2, BLOCK));
  return { fixture, damages, data };
}

test('a damaged block is EIO and nothing else, and the mount is told', async () => {
  const { fixture, damages, data } = await damagedFile();
  await using _ = fixture;
  await expect(fixture.read(FILE, 0, 3 * BLOCK)).rejects.toMatchObject({ code: 'EIO' });
  await expect(fixture.write(FILE, BLOCK + 1, Uint8Array.of(1))).rejects.toMatchObject({ code: 'EIO' });
  expect(Buffer.compare(await fixture.read(FILE, 2 * BLOCK, BLOCK), data.subarray(2 * BLOCK))).toBe(0);
  expect(damages).toMatchObject([{ inode: FILE, block: 1 }]);
  expect(fixture.errors).toHaveLength(1);
});

test('a damaged block is healed when it is overwritten whole', async () => {
  const { fixture } = await damagedFile();
  await using _ = fixture;
  const fresh = patternBytes(3, BLOCK);
  await fixture.write(FILE, BLOCK, fresh);
  await fixture.cache.drop();
  expect(Buffer.compare(await fixture.read(FILE, BLOCK, BLOCK), fresh)).toBe(0);
});

test('a damaged object is healed when its content is stored again', async () => {
  const { fixture, data } = await damagedFile();
  await using _ = fixture;
  await expect(fixture.read(FILE, BLOCK, BLOCK)).rejects.toMatchObject({ code: 'EIO' });
  await fixture.write(inodeId(11), 0, data.subarray(BLOCK, 2 * BLOCK));
  await fixture.cache.drop();
  expect(Buffer.compare(await fixture.read(FILE, BLOCK, BLOCK), data.subarray(BLOCK, 2 * BLOCK))).toBe(0);
  fixture.database.check();
});

test('what was found damaged is healed by the next mount, too', async () => {
  const { fixture, data } = await damagedFile();
  await using _ = fixture;
  await expect(fixture.read(FILE, BLOCK, BLOCK)).rejects.toMatchObject({ code: 'EIO' });
  await fixture.close();
  await fixture.open();
  await fixture.write(inodeId(11), 0, data.subarray(BLOCK, 2 * BLOCK));
  await fixture.cache.drop();
  expect(Buffer.compare(await fixture.read(FILE, BLOCK, BLOCK), data.subarray(BLOCK, 2 * BLOCK))).toBe(0);
  await fixture.close();
  expect(readFileSync(join(fixture.directory, 'damaged'), 'latin1')).toBe('');
});

test('an object that is sound again is so for the next mount', async () => {
  const { fixture, data } = await damagedFile();
  await using _ = fixture;
  const key = `s3ql_data_${fixture.database.get(FILE, 1)?.objectId}`;
  await expect(fixture.read(FILE, BLOCK, BLOCK)).rejects.toMatchObject({ code: 'EIO' });
  await fixture.close();
  fixture.store.content.set(key, data.slice(BLOCK, 2 * BLOCK));
  await fixture.open();
  expect(Buffer.compare(await fixture.read(FILE, BLOCK, BLOCK), data.subarray(BLOCK, 2 * BLOCK))).toBe(0);
  expect(readFileSync(join(fixture.directory, 'damaged'), 'latin1')).toBe('');
});

test('two objects that were exchanged are both damaged, and both healed', async () => {
  const { fixture, data } = await damagedFile();
  await using _ = fixture;
  const [first, last] = [0, 2].map((block) => `s3ql_data_${fixture.database.get(FILE, block)?.objectId}`);
  fixture.store.content.set(first ?? '', data.slice(2 * BLOCK));
  fixture.store.content.set(last ?? '', data.slice(0, BLOCK));
  for (const offset of [0, BLOCK, 2 * BLOCK]) await expect(fixture.read(FILE, offset, BLOCK)).rejects.toMatchObject({ code: 'EIO' });
  await fixture.write(inodeId(11), 0, data);
  await fixture.cache.drop();
  expect(Buffer.compare(await fixture.read(FILE, 0, 3 * BLOCK), data)).toBe(0);
});

test('a missing object is EIO', async () => {
  const { fixture } = await damagedFile();
  await using _ = fixture;
  fixture.store.content.clear();
  await expect(fixture.read(FILE, 0, BLOCK)).rejects.toMatchObject({ code: 'EIO' });
});
