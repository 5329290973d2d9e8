import { expect, test } from 'vitest';
import { recordLogs, setLogLevels } from '../../util/log.ts';
import type { Backend } from '../backend.ts';
import { BackendError, CorruptedObjectError, GaveUpError, NoSpaceError, PreconditionFailedError } from '../errors.ts';
import { MemoryBackend } from '../memory-backend.ts';
import { faultAt, FaultyBackend } from './faulty.ts';
import type { Fault, FaultPlan } from './faulty.ts';
import { RetryingBackend } from './retry.ts';
import type { RetryEvent, RetryOptions } from './retry.ts';
import type { RetryClock } from './retry-policy.ts';

const HOUR_MS = 3_600_000;

/** A clock that goes on only while somebody sleeps, and remembers how long. */
class FakeClock implements RetryClock {
  readonly sleeps: number[] = [];
  #nowMs = 0;
  readonly #chance: number;

  constructor(chance: number = 0) {
    this.#chance = chance;
  }

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.#chance;
  }

  async sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(delayMs);
    this.#nowMs += delayMs;
  }
}

function setUp(
  plan: FaultPlan,
  options: RetryOptions = {},
): { store: RetryingBackend; clock: FakeClock; events: RetryEvent[]; inner: Backend } {
  const clock = new FakeClock();
  const events: RetryEvent[] = [];
  const inner = new MemoryBackend();
  const store = new RetryingBackend(new FaultyBackend(inner, plan), { clock, onRetry: (event) => events.push(event), ...options });
  return { store, clock, events, inner };
}

const firstFail =
  (count: number, fault: Fault = { kind: 'fail' }): FaultPlan =>
  ({ number }) =>
    number <= count ? fault : undefined;

test('pauses begin at 20 ms, double, and end at 5 minutes', async () => {
  const { store, clock } = setUp(firstFail(18));
  await store.store('k', {}, []);
  expect(clock.sleeps.slice(0, 5)).toEqual([20, 40, 80, 160, 320]);
  expect(clock.sleeps.slice(-3)).toEqual([300_000, 300_000, 300_000]);
});

test('chance makes pauses longer by up to a half', async () => {
  const clock = new FakeClock(1);
  const { store } = setUp(firstFail(3), { clock });
  await store.stat('k').catch(() => undefined);
  expect(clock.sleeps).toEqual([30, 60, 120]);
});

test.for([
  [5000, 5000],
  [10, 1000],
  [900_000, 300_000],
])('a store that asks for %i ms gets %i ms', async ([asked, given]) => {
  const { store, clock } = setUp(
    firstFail(1, { kind: 'fail', error: new BackendError('busy', { temporary: true, retryAfterMs: asked ?? 0 }) }),
  );
  await store.delete('k');
  expect(clock.sleeps).toEqual([given]);
});

test('after a day of failures it gives up and says so', async () => {
  const { store, clock } = setUp(() => ({ kind: 'fail' }));
  await expect(store.fetch('k')).rejects.toThrow(GaveUpError);
  await expect(store.fetch('k')).rejects.toThrow(/gave up after 24 hours \(fetch object k\): injected/);
  const waitedMs = clock.sleeps.reduce((sum, delayMs) => sum + delayMs, 0) / 2;
  expect(waitedMs).toBeLessThanOrEqual(24 * HOUR_MS);
  expect(waitedMs).toBeGreaterThan(23.9 * HOUR_MS);
});

test('how long it goes on can be set', async () => {
  const { store, clock } = setUp(() => ({ kind: 'fail' }), { policy: { giveUpAfterMs: 100 } });
  await expect(store.fetch('k')).rejects.toThrow(GaveUpError);
  expect(clock.sleeps).toEqual([20, 40]);
});

test.for([
  ['a permanent error', new BackendError('no')],
  ['damage', new CorruptedObjectError('bad')],
  ['a full store', new NoSpaceError('full')],
  ['a bug', new TypeError('x is not a function')],
] as const)('%s is passed on at once', async ([, error]) => {
  const { store, clock } = setUp(firstFail(1, { kind: 'fail', error }));
  await expect(store.store('k', {}, [])).rejects.toBe(error);
  expect(clock.sleeps).toEqual([]);
});

test('failures are logged louder the longer they go on', async () => {
  const { store, events } = setUp(firstFail(6));
  await store.delete('k');
  expect(events.map(({ level, failures }) => `${failures} ${level}`)).toEqual([
    '1 debug',
    '2 debug',
    '3 info',
    '4 info',
    '5 warn',
    '6 warn',
  ]);
});

test('by default they go to the log, with the request and the reason', async () => {
  setLogLevels({ level: 'debug', debugModules: [] });
  using logs = recordLogs();
  const store = new RetryingBackend(new FaultyBackend(new MemoryBackend(), faultAt(1, { kind: 'fail' })), { clock: new FakeClock() });
  await store.delete('some-key');
  setLogLevels({ level: 'info', debugModules: [] });
  expect(logs.records).toMatchObject([
    { level: 'debug', module: 'backends/retry', message: expect.stringMatching(/delete of object some-key failed.*injected/) },
  ]);
});

test('more than five retries a second over a minute raise an alarm, once a minute', async () => {
  const alarms: number[] = [];
  const { store } = setUp(({ number }) => (number % 2 === 1 ? { kind: 'fail' } : undefined), {
    onManyRetries: (rate) => alarms.push(rate),
  });
  for (let request = 0; request < 8000; request += 1) await store.delete('k');
  expect(alarms.map(Math.round)).toEqual([50, 50]);
});

test('an abort ends the waiting with the signal’s reason', async () => {
  const controller = new AbortController();
  const clock = new FakeClock();
  const store = new RetryingBackend(new FaultyBackend(new MemoryBackend(), () => ({ kind: 'fail' })), {
    clock,
    onRetry: ({ failures }) => {
      if (failures === 3) controller.abort('enough');
    },
  });
  await expect(store.stat('k', { signal: controller.signal })).rejects.toBe('enough');
  expect(clock.sleeps).toHaveLength(2);
});

test('a listing that fails on the way goes on, with every key once', async () => {
  const { store, inner, clock } = setUp(({ number }) => ([1, 3, 4].includes(number) ? { kind: 'fail' } : undefined));
  const keys = Array.from({ length: 2500 }, (_, index) => `k${index}`);
  for (const key of keys) await inner.store(key, {}, []);
  const listed: string[] = [];
  for await (const { key } of store.list('')) listed.push(key);
  expect(listed).toEqual(keys);
  // Having got further begins the pauses anew.
  expect(clock.sleeps).toEqual([20, 20, 40]);
});

test('a conditional store whose reply was lost counts as done if the object is ours', async () => {
  const { store, inner } = setUp(faultAt(1, { kind: 'lose-reply' }));
  const result = await store.store('lease', { owner: 'me', token: new Uint8Array([1, 2]) }, [Buffer.from('mine')], { ifAbsent: true });
  expect(result).toEqual({ storedSizeBytes: 4, version: (await inner.stat('lease')).version });
});

test('a conditional store whose first try failed loses if the object is another’s', async () => {
  const { store, inner } = setUp(firstFail(1));
  await inner.store('lease', { owner: 'other' }, [Buffer.from('mine')]);
  await expect(store.store('lease', { owner: 'me' }, [Buffer.from('mine')], { ifAbsent: true })).rejects.toThrow(PreconditionFailedError);
  await expect(store.store('lease', { owner: 'other' }, [Buffer.from('mine')], { ifAbsent: true })).rejects.toThrow(
    PreconditionFailedError,
  );
});

test('the payload is kept for further tries even if it may be consumed', async () => {
  const consumed: unknown[] = [];
  const memory = new MemoryBackend();
  const inner: Backend = Object.create(memory, {
    store: {
      value: (...[key, metadata, payload, options]: Parameters<Backend['store']>) => {
        consumed.push(options?.consumePayload);
        return memory.store(key, metadata, payload, options);
      },
    },
  }) as Backend;
  await new RetryingBackend(inner).store('k', {}, [Buffer.from('x')], { consumePayload: true });
  expect(consumed).toEqual([undefined]);
});
