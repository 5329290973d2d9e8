import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeBlockDatabase } from '../../tests/support/blocks/fake-block-database.ts';
import { FakeObjectStore } from '../../tests/support/blocks/fake-object-store.ts';
import { inodeId } from '../../tests/support/blocks/block-cache-fixture.ts';
import type { ObjectId } from '../metadata/types.ts';
import { dataObjectKey } from './object-ids.ts';
import { RemovalQueue } from './removal-queue.ts';

const FILE = inodeId(10);
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-removals-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A database and a store with one object that block 0 of a file refers to. */
function oneObject(): { database: FakeBlockDatabase; store: FakeObjectStore; id: ObjectId } {
  const database = new FakeBlockDatabase();
  const store = new FakeObjectStore();
  database.setSize(FILE, 100n);
  const id = database.reserveObjectIds(1);
  database.insertObject(id, new Uint8Array(32), 100);
  database.link(FILE, 0, id);
  store.content.set(dataObjectKey(id), new Uint8Array(100));
  return { database, store, id };
}

function openQueue(database: FakeBlockDatabase, objects: FakeObjectStore): RemovalQueue {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  return new RemovalQueue({ path: join(directory, 'removals'), database, objects, log });
}

test('an object goes only after a generation without it is complete', async () => {
  const { database, store } = oneObject();
  const queue = openQueue(database, store);
  const before = database.commit();
  database.unlink(FILE, 0, 1, 1);
  queue.collect();
  const after = database.commit();
  queue.generationComplete(before);
  await queue.idle();
  expect(store.content.size).toBe(1);
  queue.generationComplete(after);
  await queue.idle();
  expect(store.content.size).toBe(0);
  expect(queue.pendingCount).toBe(0);
});

test('a restart goes on with what is in the file', async () => {
  const { database, store } = oneObject();
  database.unlink(FILE, 0, 1, 1);
  openQueue(database, store).collect();
  const next = openQueue(database, store);
  expect(next.pendingCount).toBe(1);
  next.generationComplete(database.commit());
  await next.idle();
  expect(store.content.size).toBe(0);
  expect(openQueue(database, store).pendingCount).toBe(0);
});

test('an object that a crash gave back to the database is not deleted', () => {
  const { database, store } = oneObject();
  const epoch = database.commit();
  database.unlink(FILE, 0, 1, 1);
  openQueue(database, store).collect();
  const recovered = openQueue(database.fork(epoch), store);
  expect(recovered.pendingCount).toBe(0);
  expect(readFileSync(join(directory, 'removals'), 'latin1')).toBe('');
});

test('a line that was torn off by a crash counts for nothing', () => {
  const { database, store, id } = oneObject();
  database.unlink(FILE, 0, 1, 1);
  writeFileSync(join(directory, 'removals'), `+${id}\n+99`);
  expect(openQueue(database, store).pendingCount).toBe(1);
  expect(readFileSync(join(directory, 'removals'), 'latin1')).toBe(`+${id}\n`);
});

test('when a mount ends everything that may be deleted is, however much it is', async () => {
  const database = new FakeBlockDatabase();
  const store = new FakeObjectStore();
  const count = 2_500;
  database.setSize(FILE, 100n);
  for (let block = 0; block < count; block++) {
    const id = database.reserveObjectIds(1);
    const digest = Buffer.alloc(32);
    digest.writeUInt32LE(block);
    database.insertObject(id, digest, 100);
    database.link(FILE, block, id);
    store.content.set(dataObjectKey(id), new Uint8Array(1));
  }
  database.commit();
  const queue = openQueue(database, store);
  database.unlink(FILE, 0, count, count);
  queue.collect();
  queue.generationComplete(database.commit());
  await queue.finish({});
  await queue.stop();
  expect([store.content.size, queue.pendingCount]).toEqual([0, 0]);
});

test('what could not be deleted when a mount ended is deleted by the next', async () => {
  const { database, store } = oneObject();
  const queue = openQueue(database, store);
  database.unlink(FILE, 0, 1, 1);
  queue.collect();
  store.before = () => {
    throw new Error('the store is down');
  };
  queue.generationComplete(database.commit());
  await queue.finish({});
  await queue.stop();
  store.before = () => {};
  expect(store.content.size).toBe(1);
  const next = openQueue(database, store);
  next.generationComplete(database.openEpoch);
  await next.finish({});
  expect(store.content.size).toBe(0);
});
