/** flock(2), fcntl(2) locks: between processes, waiting for them, and what ends them. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { succeed } from '../support/success.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_CREAT, O_RDWR } from '../support/syscalls/constants.ts';
import type { LockType, RecordLock } from '../support/syscalls/lock-calls.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Target } from '../support/target.ts';

function lock(type: LockType, start: number = 0, lengthBytes: number = 0): RecordLock {
  return { type, start, lengthBytes };
}

export function lockSuite(target: Target): void {
  describe(`locks on ${target.name}`, () => {
    let first: SyscallAgent;
    let second: SyscallAgent;
    let count = 0;
    let open: Call;

    beforeEach(async () => {
      count += 1;
      open = ['open', join(target.path, `locks-${count}`), O_RDWR | O_CREAT, 0o666, 'f'];
      first = new SyscallAgent();
      second = new SyscallAgent();
      await succeed(first, [open]);
      await succeed(second, [open]);
    });
    afterEach(async () => {
      await first.kill();
      await second.kill();
    });

    async function tryOf(agent: SyscallAgent, call: Call): Promise<string> {
      const [outcome] = await agent.runAndKeep([call]);
      return outcome.error ?? 'success';
    }

    /** Whether `second` waits by `wait` until `first` makes the call `release`, and then gets what it waits for. */
    async function waitsUntil(wait: Call, release: Call): Promise<boolean> {
      let released = false;
      const granted = second.runAndKeep([wait]).then(([outcome]) => outcome.error === undefined && released);
      await first.runAndKeep([['fstat', 'f']]);
      released = true;
      await succeed(first, [release]);
      return granted;
    }

    test('flock: an exclusive lock keeps others out until it is released', async () => {
      expect(await tryOf(first, ['flock', 'f', LOCK_EX])).toBe('success');
      expect(await tryOf(second, ['flock', 'f', LOCK_EX | LOCK_NB])).toBe('EAGAIN');
      expect(await tryOf(second, ['flock', 'f', LOCK_SH | LOCK_NB])).toBe('EAGAIN');
      expect(await tryOf(first, ['flock', 'f', LOCK_UN])).toBe('success');
      expect(await tryOf(second, ['flock', 'f', LOCK_EX | LOCK_NB])).toBe('success');
    });

    test('flock: shared locks go together, an exclusive one waits for all', async () => {
      expect(await tryOf(first, ['flock', 'f', LOCK_SH])).toBe('success');
      expect(await tryOf(second, ['flock', 'f', LOCK_SH | LOCK_NB])).toBe('success');
      expect(await tryOf(second, ['flock', 'f', LOCK_EX | LOCK_NB])).toBe('EAGAIN');
      expect(await waitsUntil(['flock', 'f', LOCK_EX], ['flock', 'f', LOCK_UN])).toBe(true);
    });

    test('flock: a lock goes with the last close', async () => {
      await succeed(first, [['flock', 'f', LOCK_EX]]);
      expect(await waitsUntil(['flock', 'f', LOCK_EX], ['close', 'f'])).toBe(true);
    });

    test('flock: two opens of one process exclude each other', async () => {
      await succeed(first, [['flock', 'f', LOCK_EX], [open[0], open[1], open[2], open[3], 'g'] as Call]);
      expect(await tryOf(first, ['flock', 'g', LOCK_EX | LOCK_NB])).toBe('EAGAIN');
    });

    test('fcntl: write locks on separate ranges go together', async () => {
      expect(await tryOf(first, ['setLock', 'f', lock('write', 0, 10)])).toBe('success');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 10, 10)])).toBe('success');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 9, 1)])).toBe('EAGAIN');
      expect(await tryOf(second, ['setLock', 'f', lock('read', 0, 1)])).toBe('EAGAIN');
    });

    test('fcntl: read locks go together, a write lock does not join them', async () => {
      expect(await tryOf(first, ['setLock', 'f', lock('read', 0, 10)])).toBe('success');
      expect(await tryOf(second, ['setLock', 'f', lock('read', 5, 10)])).toBe('success');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 5, 10)])).toBe('EAGAIN');
      expect(await tryOf(first, ['setLock', 'f', lock('write', 0, 5)])).toBe('success');
    });

    test('fcntl: F_GETLK names the lock in the way and its holder', async () => {
      await succeed(first, [['setLock', 'f', lock('write', 100, 50)]]);
      const [found] = await succeed(second, [['getLock', 'f', lock('read', 0, 0)]]);
      expect(found).toEqual({ type: 'write', start: 100n, lengthBytes: 50n, pid: first.pid });
      const [none] = await succeed(second, [['getLock', 'f', lock('read', 0, 100)]]);
      expect(none.type).toBe('unlock');
    });

    test('fcntl: unlocking the middle leaves both ends locked', async () => {
      await succeed(first, [
        ['setLock', 'f', lock('write', 0, 30)],
        ['setLock', 'f', lock('unlock', 10, 10)],
      ]);
      expect(await tryOf(second, ['setLock', 'f', lock('write', 9, 1)])).toBe('EAGAIN');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 10, 10)])).toBe('success');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 20, 1)])).toBe('EAGAIN');
    });

    test('fcntl: a lock to the end of the file covers what is yet to come', async () => {
      await succeed(first, [['setLock', 'f', lock('write', 10, 0)]]);
      expect(await tryOf(second, ['setLock', 'f', lock('write', 1_000_000_000, 1)])).toBe('EAGAIN');
      expect(await tryOf(second, ['setLock', 'f', lock('write', 0, 10)])).toBe('success');
    });

    test('fcntl: a waiting process gets the lock when it is released', async () => {
      await succeed(first, [['setLock', 'f', lock('write', 0, 10)]]);
      expect(await waitsUntil(['waitForLock', 'f', lock('write', 5, 1)], ['setLock', 'f', lock('unlock', 0, 10)])).toBe(true);
    });

    test('fcntl: closing any descriptor of the file releases the locks of the process', async () => {
      await succeed(first, [[open[0], open[1], open[2], open[3], 'g'] as Call, ['setLock', 'f', lock('write')]]);
      expect(await tryOf(second, ['setLock', 'f', lock('write')])).toBe('EAGAIN');
      await succeed(first, [['close', 'g']]);
      expect(await tryOf(second, ['setLock', 'f', lock('write')])).toBe('success');
    });

    test('fcntl: a lock of the open file description stays when another descriptor is closed', async () => {
      await succeed(first, [[open[0], open[1], open[2], open[3], 'g'] as Call, ['setDescriptionLock', 'f', lock('write')]]);
      expect(await tryOf(first, ['setDescriptionLock', 'g', lock('write')])).toBe('EAGAIN');
      await succeed(first, [['close', 'g']]);
      expect(await tryOf(second, ['setDescriptionLock', 'f', lock('write')])).toBe('EAGAIN');
    });

    test('a process that dies leaves no locks behind', async () => {
      await succeed(first, [
        ['setLock', 'f', lock('write', 0, 10)],
        ['flock', 'f', LOCK_EX],
      ]);
      await first.kill();
      await succeed(second, [
        ['waitForLock', 'f', lock('write')],
        ['flock', 'f', LOCK_EX],
      ]);
      expect(await tryOf(second, ['setLock', 'f', lock('unlock')])).toBe('success');
    });

    test.each([
      [
        'fcntl',
        ['setLock', 'f', lock('write')],
        ['waitForLock', 'f', lock('write')],
        ['setLock', 'f', lock('unlock')],
        ['setLock', 'f', lock('write')],
      ],
      ['flock', ['flock', 'f', LOCK_EX], ['flock', 'f', LOCK_EX], ['flock', 'f', LOCK_UN], ['flock', 'f', LOCK_EX | LOCK_NB]],
    ] as ReadonlyArray<[string, Call, Call, Call, Call]>)(
      '%s: a process killed while it waits ends, and does not get the lock',
      async (_, take, wait, release, attempt) => {
        await succeed(first, [take]);
        const waiting = second.runAndKeep([wait]);
        const third = new SyscallAgent();
        try {
          await succeed(third, [open]);
          await Promise.all([expect(waiting).rejects.toThrow('SIGKILL'), second.kill()]);
          await succeed(first, [release]);
          expect(await tryOf(third, attempt)).toBe('success');
        } finally {
          await third.kill();
        }
      },
    );
  });
}
