import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCacheFixture, inodeId, patternBytes } from '../../tests/support/blocks/block-cache-fixture.ts';

const BLOCK = 8192;
const FILE = inodeId(10);

/** Lets the next open believe that the machine was started anew. */
function pretendReboot(fixture: BlockCacheFixture): void {
  const session = join(fixture.directory, 'session');
  writeFileSync(session, readFileSync(session, 'latin1').replace(/\n.*\n/, '\nanother boot\n'));
}

test('dirty blocks stay dirty over a clean end with the store out of reach', async () => {
  await using fixture = await BlockCacheFixture.open();
  const data = patternBytes(1, BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.durable();
  await fixture.close(false);
  await fixture.open();
  expect(fixture.recovery).toMatchObject({ crashed: false, dirtyBlockCount: 1 });
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK), data)).toBe(0);
});

test('a block that was uploaded but not settled when the process died is linked again without another upload', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await fixture.cache.flush();
  fixture.database.commit();
  await fixture.open();
  expect(fixture.recovery).toMatchObject({ dirtyBlockCount: 1 });
  await fixture.cache.drop();
  expect(fixture.store.counts.put).toBe(1);
  fixture.database.check();
});

test('an overwrite that had not reached the disk before a power cut gives way to the stored content', async () => {
  await using fixture = await BlockCacheFixture.open();
  const stored = patternBytes(1, BLOCK);
  await fixture.write(FILE, 0, stored);
  await fixture.cache.drop();
  await fixture.write(FILE, 0, patternBytes(2, BLOCK));
  await fixture.durable();
  pretendReboot(fixture);
  await fixture.open();
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK), stored)).toBe(0);
});

test('an overwrite that was synced survives a power cut', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await fixture.cache.drop();
  const data = patternBytes(2, BLOCK);
  await fixture.write(FILE, 0, data);
  await fixture.cache.syncLocal(FILE);
  await fixture.durable();
  pretendReboot(fixture);
  await fixture.open();
  expect(Buffer.compare(await fixture.read(FILE, 0, BLOCK), data)).toBe(0);
});

test('a slot with a torn record is ignored', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await fixture.durable();
  const segment = readdirSync(fixture.directory).find((name) => /^[0-9]+$/.test(name)) ?? '';
  const path = join(fixture.directory, segment);
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(70) ^ 1, 70);
  writeFileSync(path, content);
  await fixture.open();
  expect(fixture.recovery).toMatchObject({ dirtyBlockCount: 0 });
  expect(await fixture.read(FILE, 0, BLOCK)).toEqual(new Uint8Array(BLOCK));
});

test('blocks of another size are refused rather than misread', async () => {
  await using fixture = await BlockCacheFixture.open();
  await fixture.write(FILE, 0, patternBytes(1, BLOCK));
  await fixture.durable();
  await fixture.close();
  await expect(fixture.open({ blockSizeBytes: 4096 })).rejects.toThrow('holds blocks of 8192 bytes');
});
