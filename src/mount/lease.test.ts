import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backend, Capabilities } from '../backends/backend.ts';
import { InterceptedBackend, type Operation } from '../backends/decorators/intercepted-backend.ts';
import { MemoryBackend } from '../backends/memory-backend.ts';
import { recordLogs } from '../util/log.ts';
import { EXIT_MOUNTED_ELSEWHERE, Lease, type LeaseOptions } from './lease.ts';
import { encodeLease, fetchLease, LEASE_KEY } from './lease-record.ts';

const TIMES = { renewalMs: 3_600_000, staleAfterMs: 20, settleMs: 5 };
const REFUSED = { exitCode: EXIT_MOUNTED_ELSEWHERE };

let directory = '';
let store: MemoryBackend;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-lease-'));
  store = new MemoryBackend();
});

afterEach(() => rm(directory, { recursive: true }));

/** The store without its conditions. */
class SimpleStore extends InterceptedBackend {
  override get capabilities(): Capabilities {
    return { ...this.inner.capabilities, conditionalCreate: false, conditionalReplace: false };
  }

  protected around<T>(_operation: Operation, run: () => Promise<T>): Promise<T> {
    return run();
  }
}

/** A store in which each writing waits for the promise. */
class SlowStore extends InterceptedBackend {
  wait: Promise<void> = Promise.resolve();

  protected async around<T>({ name }: Operation, run: () => Promise<T>): Promise<T> {
    if (name === 'store') await this.wait;
    return run();
  }
}

/** `host`: each has memories of its own. */
function acquire(backend: Backend, host: string, options: Partial<LeaseOptions> = {}): Promise<Lease> {
  return Lease.acquire({
    backend,
    path: join(directory, host),
    program: 'mount.s3ql',
    signal: new AbortController().signal,
    mountedElsewhere: () => Promise.resolve(false),
    force: false,
    override: '--take-over',
    times: TIMES,
    ...options,
  });
}

const kinds: readonly (readonly [string, () => Backend])[] = [
  ['with conditional requests', () => store],
  ['without conditional requests', () => new SimpleStore(store)],
];

test.for(kinds)('%s, one lease is given out at a time', async ([, backend]) => {
  const first = await acquire(backend(), 'a');
  await expect(acquire(backend(), 'b', { mountedElsewhere: () => Promise.resolve(true) })).rejects.toMatchObject(REFUSED);
  await first.release();
  const second = await acquire(backend(), 'b');
  expect(await second.holder()).toBe('us');
  await second.release();
  expect(await fetchLease(store)).toBeUndefined();
});

test.for(kinds)('%s, of many who ask at once exactly one gets it', async ([, backend]) => {
  const asked = Array.from({ length: 8 }, (_, host) =>
    acquire(backend(), `host-${host}`, { mountedElsewhere: () => Promise.resolve(true) }),
  );
  const results = await Promise.allSettled(asked);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test.for(kinds)('%s, of many who take it over at once exactly one has it in the end', async ([, backend]) => {
  await acquire(backend(), 'lost');
  const options = { force: true, mountedElsewhere: () => Promise.resolve(true) };
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, host) => acquire(backend(), `host-${host}`, options)));
  const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const holders = await Promise.all(winners.map((lease) => lease.holder()));
  expect(holders.filter((holder) => holder === 'us')).toHaveLength(1);
});

test.for(kinds)('%s, a renewal never overwrites the lease of another', async ([, backend]) => {
  using logs = recordLogs();
  const lost = await acquire(backend(), 'a');
  const taken = await acquire(backend(), 'b', { force: true, program: 'fsck.s3ql' });
  await lost.renew();
  expect(await taken.holder()).toBe('us');
  await expect(lost.requireHeld()).rejects.toMatchObject({ ...REFUSED, message: expect.stringContaining('fsck.s3ql on') });
  await lost.release();
  expect(await taken.holder()).toBe('us');
  expect(logs.records.map(({ level }) => level)).toEqual(['error']);
});

test('a renewal that was on its way while another took the lease changes nothing', async () => {
  const slow = new SlowStore(store);
  const lost = await acquire(slow, 'a');
  const { promise, resolve } = Promise.withResolvers<void>();
  slow.wait = promise;
  const renewal = lost.renew();
  const taken = await acquire(store, 'b', { force: true });
  resolve();
  using _logs = recordLogs();
  await renewal;
  expect(await taken.holder()).toBe('us');
});

test.for(kinds)('%s, a lease that was deleted is made anew by the next renewal', async ([, backend]) => {
  const lease = await acquire(backend(), 'a');
  await store.delete(LEASE_KEY);
  expect(await lease.holder()).toBe('nobody');
  await lease.renew();
  expect(await lease.holder()).toBe('us');
});

test('the lease of a machine that died is free to itself at once, and to others when it proves dead', async () => {
  await acquire(store, 'a');
  expect(await (await acquire(store, 'a')).holder()).toBe('us');
  using _logs = recordLogs();
  expect(await (await acquire(store, 'b')).holder()).toBe('us');
});

test('a lease that is being renewed is alive', async () => {
  using _logs = recordLogs();
  await acquire(store, 'a', { times: { ...TIMES, renewalMs: 1 } }).then(async (alive) => {
    await expect(acquire(store, 'b', { times: { ...TIMES, staleAfterMs: 60_000 } })).rejects.toMatchObject(REFUSED);
    await alive.release();
  });
});

test('who holds it is told to whoever is refused, as far as the lease can be understood', async () => {
  using _logs = recordLogs();
  const holder = { nonce: 'x', renewal: 1, host: 'far-away', program: 'fsck.s3ql', mounted: true };
  await store.store(LEASE_KEY, {}, [encodeLease(holder)]);
  const refused = acquire(store, 'b', { mountedElsewhere: ({ mounted }) => Promise.resolve(mounted) });
  await expect(refused).rejects.toThrow(/in use by fsck.s3ql on far-away.*use --take-over/);
  await store.store(LEASE_KEY, {}, [Buffer.from('{"nonce":5}')]);
  await expect(acquire(store, 'b', { mountedElsewhere: () => Promise.resolve(true) })).rejects.toThrow(/an unknown machine/);
});
