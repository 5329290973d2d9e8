import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { CorruptedObjectError, NoSuchContainerError, NoSuchObjectError } from './errors.ts';
import { backendSpec } from './open-backend.ts';
import { ThreadedBackend } from './threaded-backend.ts';

const root = mkdtempSync(join(tmpdir(), 's3ql-threaded-'));
afterAll(() => rmSync(root, { recursive: true }));

function directory(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

const openAt = (path: string): Promise<ThreadedBackend> => ThreadedBackend.open(backendSpec({ url: `local://${path}` }));

test('a store in a thread looks like the store itself, and its errors keep their class', async () => {
  const path = directory('errors');
  await using backend = await openAt(path);
  expect(backend.url).toBe(`local://${path}/`);
  expect(backend.capabilities).toMatchObject({ conditionalCreate: true, range: true });
  await expect(backend.fetch('k')).rejects.toThrow(NoSuchObjectError);
  await expect(backend.fetch('k')).rejects.toMatchObject({ key: 'k', temporary: false });
  writeFileSync(join(path, 'bad'), 'no object');
  await expect(backend.fetch('bad')).rejects.toThrow(CorruptedObjectError);
});

test('a store that cannot be opened fails with its own error', async () => {
  await expect(openAt(join(root, 'missing'))).rejects.toThrow(NoSuchContainerError);
});

test('payload buffers are taken only from those who give them away', async () => {
  await using backend = await openAt(directory('buffers'));
  const [kept, given] = [new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2)];
  await backend.store('kept', {}, [kept]);
  await backend.store('given', {}, [given], { consumePayload: true });
  expect([kept.byteLength, given.byteLength]).toEqual([1000, 0]);
  expect((await backend.fetch('given')).payload.every((byte) => byte === 2)).toBe(true);
});

test('a listing of many parts is complete, and one left early leaves nothing behind', async () => {
  await using backend = await openAt(directory('list'));
  const keys = Array.from({ length: 2500 }, (_, index) => `k${index}`).toSorted();
  for (const key of keys) writeFileSync(join(root, 'list', key), '');
  const listed: string[] = [];
  for await (const { key } of backend.list('')) listed.push(key);
  expect(listed.toSorted()).toEqual(keys);
  for await (const { key } of backend.list('k1')) {
    expect(key).toMatch(/^k1/);
    break;
  }
  await expect(backend.stat('missing')).rejects.toThrow(NoSuchObjectError);
});

test('a thread that dies fails the requests it had with a temporary error, and the next request starts another', async () => {
  const threads: Worker[] = [];
  const noteThread = (thread: Worker): void => void threads.push(thread);
  process.on('worker', noteThread);
  await using backend = await openAt(directory('death'));
  await backend.store('k', {}, []);
  const failing = backend.store('other', {}, [Buffer.alloc(1000)]).catch((error: unknown) => error);
  await threads[0]?.terminate();
  expect(await failing).toMatchObject({ name: 'BackendError', temporary: true });
  expect(await backend.stat('k')).toMatchObject({ metadata: {} });
  process.off('worker', noteThread);
  expect(threads).toHaveLength(2);
});

test('nothing can be asked of a closed store, and closing it twice is no error', async () => {
  const backend = await openAt(directory('closed'));
  await backend[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  await expect(backend.stat('k')).rejects.toThrow(/is closed/);
});
