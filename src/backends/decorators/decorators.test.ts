import { expect, test } from 'vitest';
import { recordLogs, setLogLevels } from '../../util/log.ts';
import type { Backend } from '../backend.ts';
import { BackendError } from '../errors.ts';
import { Bandwidth } from '../bandwidth/bandwidth.ts';
import { parseRateSchedule } from '../bandwidth/rate-schedule.ts';
import { MemoryBackend } from '../memory-backend.ts';
import { faultAt, FaultyBackend, randomFaults } from './faulty.ts';
import { LimitedBackend } from './limited.ts';
import { LoggedBackend } from './logged.ts';
import { StoreMetrics } from '../store-metrics.ts';
import { MeteredBackend } from './metered.ts';

const payload = [Buffer.from('01234567')];

async function listAll(backend: Backend): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list('')) keys.push(key);
  return keys;
}

const text = async (backend: Backend, key: string): Promise<string> => Buffer.from((await backend.fetch(key)).payload).toString('latin1');

test('the n-th request fails, and only that; nothing has happened then', async () => {
  const inner = new MemoryBackend();
  const faulty = new FaultyBackend(inner, faultAt(2, { kind: 'fail' }));
  await faulty.store('a', {}, payload);
  await expect(faulty.store('b', {}, payload)).rejects.toMatchObject({ name: 'BackendError', temporary: true });
  await faulty.store('c', {}, payload);
  expect(await listAll(inner)).toEqual(['a', 'c']);
  expect(faulty.requestCount).toBe(3);
});

test('a lost reply is an error for something that has happened', async () => {
  const inner = new MemoryBackend();
  const error = new BackendError('connection reset');
  const faulty = new FaultyBackend(inner, faultAt(1, { kind: 'lose-reply', error }));
  await expect(faulty.store('a', {}, payload)).rejects.toBe(error);
  expect(await listAll(inner)).toEqual(['a']);
});

test('payloads are truncated and corrupted on both ways, the caller’s buffers are not', async () => {
  const inner = new MemoryBackend();
  const faulty = new FaultyBackend(inner, ({ number }) => ({ kind: number % 2 === 1 ? 'truncate' : 'corrupt' }));
  await faulty.store('cut', {}, payload);
  await faulty.store('flipped', {}, payload);
  expect([await text(inner, 'cut'), await text(inner, 'flipped')]).toEqual(['0123', '0123$567']);
  await inner.store('whole', {}, payload);
  expect([await text(faulty, 'whole'), await text(faulty, 'whole')]).toEqual(['0123', '0123$567']);
  expect(await text(inner, 'whole')).toBe('01234567');
});

test('a hanging request ends by an abort or when it is let go', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const faulty = new FaultyBackend(new MemoryBackend(), () => ({ kind: 'hang', until: promise }));
  const controller = new AbortController();
  const aborted = faulty.delete('k', { signal: controller.signal });
  const released = faulty.delete('k');
  controller.abort('stop');
  await expect(aborted).rejects.toBe('stop');
  resolve();
  await expect(released).resolves.toBeUndefined();
});

test('the same seed fails the same way', async () => {
  const run = async (seed: number): Promise<string[]> => {
    const faulty = new FaultyBackend(new MemoryBackend(), randomFaults(seed, 0.3, [{ kind: 'fail' }, { kind: 'delay', delayMs: 0 }]));
    return Promise.all(Array.from({ length: 50 }, (_, index) => faulty.delete(`${index}`).then(() => 'done', String)));
  };
  const outcomes = await run(1);
  expect(await run(1)).toEqual(outcomes);
  expect(await run(2)).not.toEqual(outcomes);
  const failures = outcomes.filter((outcome) => outcome !== 'done').length;
  expect(failures).toBeGreaterThan(0);
  expect(failures).toBeLessThan(50);
});

test('no more requests than allowed are under way, and a listing leaves room for others', async () => {
  let running = 0;
  let most = 0;
  const inner = new MemoryBackend();
  const watched = Object.create(inner, {
    delete: {
      value: async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
      },
    },
  }) as Backend;
  const limited = new LimitedBackend(watched, 3);
  await Promise.all(Array.from({ length: 20 }, (_, index) => limited.delete(`${index}`)));
  expect(most).toBe(3);

  const narrow = new LimitedBackend(inner, 1);
  for (const key of ['a', 'b']) await inner.store(key, {}, payload);
  for await (const { key } of narrow.list('')) await narrow.delete(key);
  expect(await listAll(inner)).toEqual([]);
});

test('who waits for a turn can be aborted, without harm to the others', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const limited = new LimitedBackend(new FaultyBackend(new MemoryBackend(), faultAt(1, { kind: 'hang', until: promise })), 1);
  const controller = new AbortController();
  const first = limited.delete('a');
  const second = limited.delete('b', { signal: controller.signal });
  const third = limited.delete('c');
  controller.abort('stop');
  await expect(second).rejects.toBe('stop');
  resolve();
  await expect(Promise.all([first, third])).resolves.toHaveLength(2);
});

test('transfers that are held up leave connections for the others', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hanging = new FaultyBackend(new MemoryBackend(), ({ name }) => (name === 'store' ? { kind: 'hang', until: promise } : undefined));
  const limited = new LimitedBackend(hanging, 4, new Bandwidth({ upload: parseRateSchedule('1M') }));
  const stores = Array.from({ length: 10 }, (_, index) => limited.store(`${index}`, {}, []));
  await expect(limited.fetch('missing')).rejects.toMatchObject({ name: 'NoSuchObjectError' });
  expect(hanging.requestCount).toBe(3);
  resolve();
  await Promise.all(stores);
});

test('operations, failures and bytes are counted', async () => {
  const metrics = new StoreMetrics();
  const metered = new MeteredBackend(new FaultyBackend(new MemoryBackend(), faultAt(5, { kind: 'fail' })), metrics);
  await metered.store('a', {}, [Buffer.alloc(10), Buffer.alloc(5)]);
  await metered.fetch('a');
  await metered.fetch('a', { range: { offset: 0, lengthBytes: 3 } });
  // Not there: an answer.
  await metered.fetch('b').catch(() => undefined);
  await metered.fetch('a').catch(() => undefined);
  await listAll(metered);
  const { operations } = new StoreMetrics(metrics.memory).snapshot();
  expect(operations).toMatchObject({
    store: { count: 1, failures: 0, payloadBytes: 15 },
    fetch: { count: 4, failures: 1, payloadBytes: 18 },
    stat: { count: 0, failures: 0, totalMs: 0 },
    list: { count: 1, failures: 0 },
  });
  expect(operations.fetch.longestMs).toBeLessThanOrEqual(operations.fetch.totalMs);
});

test('operations are logged for debugging, and only then', async () => {
  using logs = recordLogs();
  const logged = new LoggedBackend(new MemoryBackend());
  await logged.store('a', {}, payload);
  setLogLevels({ level: 'info', debugModules: ['backends'] });
  await logged.fetch('a');
  await logged.fetch('b').catch(() => undefined);
  await listAll(logged);
  setLogLevels({ level: 'info', debugModules: [] });
  expect(logs.records.map(({ message }) => message.replace(/[\d.]+ ms/, 'N ms'))).toEqual([
    'fetch object a: done after N ms',
    'fetch object b: failed: NoSuchObjectError: object b does not exist after N ms',
    'list all objects: 1 keys after N ms',
  ]);
});
