/** The retry policy is the same for all stores: what is temporary, how long is waited, what a store asks for, and when it ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { RetryingBackend } from '../../src/backends/decorators/retry.ts';
import type { RetryClock } from '../../src/backends/decorators/retry-policy.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { backendFactories } from '../../src/backends/registry.ts';
import { AllStores, type StoreCase } from '../support/all-stores.ts';
import { withEnvironment } from '../support/environment.ts';
import type { Fault } from '../support/servers/loopback-server.ts';

const DAY_MS = 24 * 3_600_000;
/** Stores without HTTP have tests of their own for their failures. */
const HTTP_STORES = [...backendFactories.keys()].filter((scheme) => scheme !== 'local' && scheme !== 'sftp');

let stores: AllStores;
let environment: Disposable;

beforeAll(async () => {
  stores = await AllStores.start();
  environment = withEnvironment(stores.environment);
});

beforeEach(() => stores.reset());

afterAll(async () => {
  environment[Symbol.dispose]();
  await stores[Symbol.asyncDispose]();
});

class InstantClock implements RetryClock {
  readonly sleeps: number[] = [];
  #nowMs = 0;
  now(): number {
    return this.#nowMs;
  }
  random(): number {
    return 0;
  }
  async sleep(delayMs: number): Promise<void> {
    this.sleeps.push(delayMs);
    this.#nowMs += delayMs;
  }
}

test('there is a server for every kind of store', () => {
  expect(Object.keys(stores.cases).toSorted()).toEqual([...backendFactories.keys()].toSorted());
});

describe.for(HTTP_STORES)('%s://', (scheme) => {
  let store: Required<StoreCase>;
  let clock: InstantClock;
  let inner: Backend;
  let backend: Backend;

  beforeEach(async () => {
    store = stores.cases[scheme] as Required<StoreCase>;
    inner = await openBackend(backendSpec(store));
    store.server.reset();
    clock = new InstantClock();
    backend = new RetryingBackend(inner, { clock, onRetry: () => undefined });
    return () => backend[Symbol.asyncDispose]();
  });

  const answers = (status: number, headers: Record<string, string> = {}): Fault => ({ kind: 'answer', answer: { status, headers } });

  test.for([
    ['429 with Retry-After is tried again after that time', answers(429, { 'retry-after': '7' }), [7000]],
    ['a Retry-After of days is cut to five minutes', answers(503, { 'retry-after': '200000' }), [300_000]],
    ['a Retry-After of nothing is a second', answers(429, { 'retry-after': '0' }), [1000]],
    ['429 without it is tried again like any failure', answers(429), [20]],
    ['500', answers(500), [20]],
    ['502', answers(502), [20]],
    ['503', answers(503), [20]],
    ['408', answers(408), [20]],
    ['a lost connection', { kind: 'reset' }, [20]],
    ['an answer that never came', { kind: 'lose-answer' }, [20]],
  ] as const)('%s', async ([, fault, sleeps]) => {
    store.server.plan({ on: /^DELETE/, fault });
    await backend.delete('missing');
    expect(clock.sleeps).toEqual(sleeps);
    expect(store.server.faultsLeft).toBe(0);
  });

  test('tcp-timeout is how long a server may be silent, and Expect: 100-continue is never sent', async () => {
    await using impatient = await openBackend(
      backendSpec({ ...store, options: store.options.replace('tcp-timeout=5', 'tcp-timeout=0.7') }),
    );
    store.server.plan({ on: /^DELETE/, fault: { kind: 'hang' } });
    await expect(impatient.delete('missing')).rejects.toMatchObject({
      temporary: true,
      message: expect.stringContaining('in time') as string,
    });
    await impatient.store('k', {}, [Buffer.alloc(100_000)]);
    expect(store.server.requests.filter(({ headers }) => headers.expect !== undefined)).toEqual([]);
  });

  test('pauses double up to five minutes, and after a day it is given up', async () => {
    store.server.plan({ on: /^DELETE/, fault: answers(503), times: 1000 });
    await expect(backend.delete('missing')).rejects.toMatchObject({ name: 'GaveUpError' });
    expect(clock.sleeps.slice(0, 4)).toEqual([20, 40, 80, 160]);
    expect(Math.max(...clock.sleeps)).toBe(300_000);
    const waitedMs = clock.sleeps.reduce((sum, sleep) => sum + sleep, 0);
    expect(waitedMs).toBeLessThanOrEqual(DAY_MS);
    expect(waitedMs).toBeGreaterThan(DAY_MS - 300_000);
  });

  test.for([403, 501])('%s is not tried again', async (status) => {
    store.server.plan({ on: /^DELETE/, fault: answers(status), times: 100 });
    await expect(backend.delete('missing')).rejects.toMatchObject({ temporary: false });
    expect(clock.sleeps).toEqual([]);
  });
});
