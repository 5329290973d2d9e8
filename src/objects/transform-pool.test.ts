import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { masterKeyEnvelope, plainEnvelope } from '../envelope/envelope.ts';
import { IntegrityError } from '../envelope/integrity-error.ts';
import { TransformPool } from './transform-pool.ts';

const NONE = { algorithm: 'none', level: 6 } as const;

/** The threads that were started since the test began. */
let threads: Worker[] = [];
const noteThread = (thread: Worker): void => void threads.push(thread);

beforeEach(() => {
  threads = [];
  process.on('worker', noteThread);
});
afterEach(() => {
  process.off('worker', noteThread);
});

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('small tasks fill a thread before another is started, and there are never more than allowed', async () => {
  await using pool = new TransformPool(plainEnvelope(), 2);
  const hash = (sizeBytes: number): Promise<{ digest: Uint8Array }> => pool.run({ kind: 'hash', bytes: new Uint8Array(sizeBytes) });
  await Promise.all(Array.from({ length: 10 }, () => hash(100)));
  expect(threads).toHaveLength(1);
  await Promise.all(Array.from({ length: 20 }, () => hash(300_000)));
  expect(threads).toHaveLength(2);
});

test('each of very many tasks gets its own result', async () => {
  await using pool = new TransformPool(masterKeyEnvelope(randomBytes(32)), 2);
  const blocks = Array.from({ length: 300 }, (_, index) => randomBytes((index * 97) % 5000));
  const results = await Promise.all(
    blocks.map(async (block, index) => {
      const key = `s3ql_data_${index}`;
      const { metadata, payload } = await pool.run({ kind: 'seal', key, bytes: new Uint8Array(block), compression: NONE });
      return pool.run({ kind: 'open', key, metadata, payload, maxSizeBytes: 5000, expectedDigest: undefined });
    }),
  );
  expect(results.map(({ bytes }) => sha256(bytes))).toEqual(blocks.map(sha256));
});

test('bytes are transferred, not copied, there and back', async () => {
  await using pool = new TransformPool(plainEnvelope(), 1);
  const sent = new Uint8Array(100_000).fill(7);
  const { bytes } = await pool.run({ kind: 'hash', bytes: sent });
  expect(sent.byteLength).toBe(0);
  expect(bytes).toHaveLength(100_000);
});

test('a small part of a larger buffer leaves the rest where it is', async () => {
  await using pool = new TransformPool(plainEnvelope(), 1);
  const all = bytesOf('0123456789'.repeat(100));
  const { digest } = await pool.run({ kind: 'hash', bytes: all.subarray(10, 20) });
  expect(Buffer.from(digest).toString('hex')).toBe(sha256(bytesOf('0123456789')));
  expect(all).toHaveLength(1000);
});

test('a task whose bytes were given away before fails alone', async () => {
  await using pool = new TransformPool(plainEnvelope(), 1);
  const given = new Uint8Array(1000);
  structuredClone(given, { transfer: [given.buffer] });
  const outcomes = await Promise.allSettled([
    pool.run({ kind: 'hash', bytes: bytesOf('a') }),
    pool.run({ kind: 'hash', bytes: given }),
    pool.run({ kind: 'hash', bytes: bytesOf('b') }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('errors arrive with their class and their cause', async () => {
  await using pool = new TransformPool(plainEnvelope(), 1);
  const payload = bytesOf('not compressed');
  const metadata = { format_version: 2, compression: 'ZLIB', encryption: 'None', data: bytesOf('{  }') };
  const opening = pool.run({ kind: 'open', key: 'k', metadata, payload, maxSizeBytes: 10, expectedDigest: undefined });
  await expect(opening).rejects.toThrow(IntegrityError);
  await expect(opening).rejects.toMatchObject({ key: 'k', reason: /zlib/, cause: { name: 'DecompressionError' } });
  await expect(pool.run({ kind: 'hash-file', fd: -1, position: 0, lengthBytes: 10 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
});

test('a thread that dies fails the tasks it had with a temporary error, and is replaced', async () => {
  await using pool = new TransformPool(plainEnvelope(), 1);
  await pool.run({ kind: 'hash', bytes: bytesOf('x') });
  const failing = pool.run({ kind: 'hash', bytes: bytesOf('y') }).catch((error: unknown) => error);
  await threads[0]?.terminate();
  expect(await failing).toMatchObject({ name: 'BackendError', temporary: true });
  expect((await pool.run({ kind: 'hash', bytes: bytesOf('z') })).bytes).toEqual(bytesOf('z'));
  expect(threads).toHaveLength(2);
});

test('an idle pool does not keep the process alive, a busy one does', async () => {
  const script = `import(${JSON.stringify(new URL('transform-pool.ts', import.meta.url).href)}).then(async ({ TransformPool }) => {
    const pool = new TransformPool({ format: 'plain' }, 1);
    await pool.run({ kind: 'hash', bytes: new Uint8Array(10) });
    process.stdout.write('hashed');
  })`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script]);
  expect(stdout).toBe('hashed');
});
