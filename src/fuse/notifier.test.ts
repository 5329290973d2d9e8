import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FakeTransport } from '../../tests/support/fuse/fake-transport.ts';
import { text, u32, u64 } from '../../tests/support/fuse/requests.ts';
import { SystemCallError } from '../util/system-call-error.ts';
import { MAX_QUEUED_NOTIFICATIONS, Notifier } from './notifier.ts';

function start(): { transport: FakeTransport; notifier: Notifier } {
  const transport = new FakeTransport();
  return { transport, notifier: new Notifier(transport) };
}

test('notifications have the layout the kernel wants', async () => {
  const { transport, notifier } = start();
  const name = Buffer.from('näme');
  expect(await notifier.invalidateInode(2 ** 40, -1n, 5n)).toBe(true);
  await notifier.invalidateEntry(3, name);
  await notifier.invalidateEntry(3, name, true);
  await notifier.deleteEntry(3, 4, name);
  await notifier.store(5, 4096n, Buffer.from('data'));
  await notifier.incrementEpoch();
  await notifier.prune([6, 2 ** 40]);
  expect(transport.notifications.map(({ error, unique, body }) => [error, unique, body.toString('latin1')])).toEqual(
    [
      [2, u64(2n ** 40n, -1, 5)],
      [3, Buffer.concat([u64(3), u32(5, 0), text('näme')])],
      [3, Buffer.concat([u64(3), u32(5, 1), text('näme')])],
      [6, Buffer.concat([u64(3, 4), u32(5, 0), text('näme')])],
      [4, Buffer.concat([u64(5, 4096), u32(4, 0), Buffer.from('data')])],
      [8, Buffer.alloc(0)],
      [9, Buffer.concat([u32(2, 0), u64(0), u64(6, 2n ** 40n)])],
    ].map(([code, body]) => [code, 0n, (body as Buffer).toString('latin1')]),
  );
  expect(transport.notifications.map(({ lengthBytes, body }) => lengthBytes - body.length)).toEqual(Array(7).fill(16));
});

test('one notification is written at a time, in order', async () => {
  const { transport, notifier } = start();
  const finish = Promise.withResolvers<void>();
  transport.onNotify = () => finish.promise;
  const all = [notifier.invalidateInode(1), notifier.invalidateInode(2), notifier.invalidateInode(3)];
  await setImmediate();
  expect(transport.notifications).toHaveLength(1);
  finish.resolve();
  await notifier.flush();
  expect(transport.notifications.map(({ body }) => body.readUInt32LE(0))).toEqual([1, 2, 3]);
  expect(await Promise.all(all)).toEqual([true, true, true]);
});

test('what the kernel does not know, or no longer, is no error; anything else is, and the next goes on', async () => {
  const { transport, notifier } = start();
  const errnos = [2, 19, 22, 0];
  transport.onNotify = () => {
    const errno = errnos.shift() ?? 0;
    return errno === 0 ? Promise.resolve() : Promise.reject(new SystemCallError('write', errno));
  };
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((node) => notifier.invalidateInode(node)));
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
    false,
    false,
    'SystemCallError: write: EINVAL',
    true,
  ]);
});

test('too many notifications are refused until there is room', async () => {
  const { transport, notifier } = start();
  const finish = Promise.withResolvers<void>();
  transport.onNotify = () => finish.promise;
  const first = notifier.invalidateInode(1);
  await setImmediate();
  const queued = Array.from({ length: MAX_QUEUED_NOTIFICATIONS }, () => notifier.incrementEpoch());
  await expect(notifier.invalidateInode(2)).rejects.toThrow(RangeError);
  transport.onNotify = () => Promise.resolve();
  finish.resolve();
  await Promise.all([first, ...queued]);
  expect(await notifier.invalidateInode(3)).toBe(true);
});
