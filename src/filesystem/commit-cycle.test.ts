import { expect, test } from 'vitest';
import type { InodeId } from '../metadata/types.ts';
import { CommitCycle } from './commit-cycle.ts';

/** Records the order of events; syncs settle when told to. */
function recordedCycle(): { cycle: CommitCycle; events: string[]; settle: () => Promise<void>; fail: (error: Error) => Promise<void> } {
  const events: string[] = [];
  const waiting: Array<{ resolve: () => void; reject: (error: Error) => void }> = [];
  let epoch = 0;
  const wait = (): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ resolve, reject });
    });
  const cycle = new CommitCycle({
    database: {
      pendingChangeCount: 0,
      onReserve: false,
      commit: () => {
        epoch += 1;
        events.push(`commit ${epoch}`);
        return epoch;
      },
      syncCommitted: async () => {
        await wait();
        events.push(`wal ${epoch}`);
        return epoch;
      },
    },
    blocks: {
      syncLocal: async (inode) => {
        events.push(`segments ${inode ?? 'all'}`);
        await wait();
      },
      syncOrdered: () => Promise.resolve(),
      isOrdered: true,
      epochDurable: (durable) => events.push(`durable ${durable}`),
    },
    intervalMs: 1_000_000,
    onError: (error) => events.push(String(error)),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    cycle,
    events,
    settle: async () => {
      await turn();
      waiting.shift()?.resolve();
      await turn();
    },
    fail: async (error) => {
      await turn();
      waiting.shift()?.reject(error);
      await turn();
    },
  };
}

test('fsync makes segments durable before it commits, and the commit before it returns', async () => {
  const { cycle, events, settle } = recordedCycle();
  const synced = cycle.sync(5 as InodeId);
  await settle();
  await settle();
  await synced;
  expect(events).toEqual(['segments 5', 'commit 1', 'wal 1', 'durable 1']);
  expect(cycle.durableEpoch).toBe(1);
});

test('all who ask while a cycle runs share the next one', async () => {
  const { cycle, events, settle } = recordedCycle();
  const first = cycle.syncMetadata();
  const others = [cycle.syncMetadata(), cycle.syncMetadata(), cycle.syncMetadata()];
  await settle();
  await first;
  await settle();
  expect(await Promise.all(others)).toEqual([2, 2, 2]);
  expect(events).toEqual(['commit 1', 'wal 1', 'durable 1', 'commit 2', 'wal 2', 'durable 2']);
});

test('the data of a file renamed over another is durable before any commit', async () => {
  const { cycle, events, settle } = recordedCycle();
  cycle.replaced(9 as InodeId);
  const synced = cycle.syncMetadata();
  await settle();
  await settle();
  await synced;
  expect(events.slice(0, 2)).toEqual(['segments 9', 'commit 1']);
});

test('a cycle that failed reports to who waited, and the next one starts afresh', async () => {
  const { cycle, settle, fail } = recordedCycle();
  const failing = cycle.syncMetadata();
  const outcome = failing.catch(String);
  const next = cycle.syncMetadata();
  await fail(new Error('disk on fire'));
  expect(await outcome).toBe('Error: disk on fire');
  await settle();
  expect(await next).toBe(2);
});

test('a renamed file whose data could not be made durable is tried again by the next cycle', async () => {
  const { cycle, events, settle, fail } = recordedCycle();
  cycle.replaced(9 as InodeId);
  const outcome = cycle.syncMetadata().catch(String);
  await fail(new Error('disk on fire'));
  expect(await outcome).toBe('Error: disk on fire');
  const next = cycle.syncMetadata();
  await settle();
  await settle();
  await next;
  expect(events).toEqual(['segments 9', 'segments 9', 'commit 1', 'wal 1', 'durable 1']);
});

test('blocks that were given up are marked so on disk before the commit that gives them up', async () => {
  const events: string[] = [];
  const cycle = new CommitCycle({
    database: {
      pendingChangeCount: 0,
      onReserve: false,
      commit: () => events.push('commit'),
      syncCommitted: () => Promise.resolve(1),
    },
    blocks: {
      syncLocal: () => Promise.resolve(),
      syncOrdered: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        events.push('ordered');
      },
      // Something is given up while the first marks are being synced.
      get isOrdered() {
        return events.length > 1;
      },
      epochDurable: () => events.push('durable'),
    },
    intervalMs: 1_000_000,
    onError: (error) => events.push(String(error)),
  });
  await cycle.syncMetadata();
  expect(events).toEqual(['ordered', 'ordered', 'commit', 'durable']);
});

test('how each cycle ended is told, whoever waited for it', async () => {
  const outcomes: unknown[] = [];
  let isFull = true;
  const cycle = new CommitCycle({
    database: {
      pendingChangeCount: 1,
      onReserve: false,
      commit: () => {
        if (isFull) throw new Error('full');
        return 1;
      },
      syncCommitted: () => Promise.resolve(1),
    },
    blocks: { syncLocal: () => Promise.resolve(), syncOrdered: () => Promise.resolve(), isOrdered: true, epochDurable: () => {} },
    intervalMs: 1_000_000,
    onError: () => {},
    onOutcome: (error) => outcomes.push(error),
  });
  await expect(cycle.syncMetadata()).rejects.toThrow('full');
  isFull = false;
  await cycle.syncMetadata();
  expect(outcomes).toEqual([new Error('full'), undefined]);
});
