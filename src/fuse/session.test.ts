import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FakeTransport } from '../../tests/support/fuse/fake-transport.ts';
import { init, request, text, u32, u64, type RequestHeader } from '../../tests/support/fuse/requests.ts';
import { FsError } from '../util/errors.ts';
import { SystemCallError } from '../util/system-call-error.ts';
import { Opcode } from './abi/opcodes.ts';
import type { EntryReply, Handlers, RequestContext } from './handlers.ts';
import { MAX_IN_FLIGHT, MAX_PINNED_BYTES, MAX_WAITING_LOCKS, Session, type SessionOptions } from './session.ts';

const { EACCES, EAGAIN, EINTR, EINVAL, EIO, ENOENT, ENOLCK, ENOSYS } = {
  EACCES: -13,
  EAGAIN: -11,
  EINTR: -4,
  EINVAL: -22,
  EIO: -5,
  ENOENT: -2,
  ENOLCK: -37,
  ENOSYS: -38,
};

interface Started {
  transport: FakeTransport;
  session: Session;
  errors: { error: unknown; name: string }[];
}

function start(handlers: Handlers, options: Partial<SessionOptions> = {}): Started {
  const transport = new FakeTransport();
  const errors: Started['errors'] = [];
  const session = new Session(transport, handlers, { ...options, onError: (error, name) => errors.push({ error, name }) });
  session.start();
  transport.ask(init());
  return { transport, session, errors };
}

/** One turn of the event loop, in which settled promises continue. */
async function turn(): Promise<void> {
  await setImmediate();
}

const negativeEntry: EntryReply = { nodeId: 0, generation: 0, entryTimeoutMs: 0, attributesTimeoutMs: 0 };

function lookup(header: RequestHeader = {}, name: string = 'name'): Buffer {
  return request(Opcode.LOOKUP, header, text(name));
}

function interrupt(unique: bigint): Buffer {
  return request(Opcode.INTERRUPT, { unique: unique + 1n }, u64(unique));
}

function lock(opcode: number): Buffer {
  return request(opcode, {}, u64(5, 99, 10, 20), u32(1, 321, 0, 0));
}

test('an error with an errno is answered with it, thrown or rejected, and not reported', async () => {
  let isLater = false;
  const { transport, errors } = start({
    lookup() {
      if (isLater) return Promise.reject(new FsError('ENOENT'));
      throw new FsError('ENOENT');
    },
  });
  expect(transport.ask(lookup()).error).toBe(ENOENT);
  isLater = true;
  transport.deliver(lookup());
  await turn();
  expect(transport.replies.at(-1)?.error).toBe(ENOENT);
  expect(errors).toEqual([]);
});

test('any other error is EIO and reported with the name of the request, and the session lives on', async () => {
  const thrown: unknown[] = [
    new Error('bug'),
    'a string',
    undefined,
    Object.assign(new Error('node'), { errno: -2 }),
    { errno: 70_000 },
    { errno: 1.5 },
  ];
  let value: unknown;
  const { transport, errors } = start({
    lookup() {
      throw value;
    },
    getattr: () => Promise.reject(value),
  });
  for (value of thrown) {
    expect(transport.ask(lookup()).error).toBe(EIO);
    transport.deliver(request(Opcode.GETATTR, {}, Buffer.alloc(16)));
    await turn();
    expect(transport.replies.at(-1)?.error).toBe(EIO);
  }
  expect(errors.map(({ error }) => error)).toEqual(thrown.flatMap((error) => [error, error]));
  expect(errors.slice(0, 2).map(({ name }) => name)).toEqual(['LOOKUP', 'GETATTR']);
});

test('requests without a handler, and of types unknown, are ENOSYS', () => {
  const { transport, errors } = start({});
  for (const opcode of [Opcode.LOOKUP, Opcode.POLL, Opcode.BMAP, Opcode.SETUPMAPPING, 54, 4096, 0xffff_ffff]) {
    expect(transport.ask(request(opcode, {}, text('x'))).error).toBe(ENOSYS);
  }
  expect(errors).toEqual([]);
});

test('handlers see who asks, by what identity, and with which groups', () => {
  let seen: RequestContext | undefined;
  const { transport } = start({
    mkdir(context) {
      seen = {
        unique: context.unique,
        uid: context.uid,
        gid: context.gid,
        pid: context.pid,
        supplementaryGroups: [...(context.supplementaryGroups ?? [])],
        signal: context.signal,
      };
      return negativeEntry;
    },
  });
  // A security context to skip, then the groups.
  const extensions = Buffer.concat([u32(16, 1), Buffer.alloc(8), u32(24, 32, 2, 4_000_000_000, 7, 0)]);
  transport.ask(
    request(Opcode.MKDIR, { unique: 2n ** 62n, uid: 3_000_000_000, gid: 2, pid: 3, extensions }, u32(0o755, 0), text('odd length')),
  );
  expect(seen).toMatchObject({ unique: 2n ** 62n, uid: 3_000_000_000, gid: 2, pid: 3, supplementaryGroups: [4_000_000_000, 7] });
});

test('extensions that make no sense are none', () => {
  const groups: unknown[] = [];
  const { transport } = start({
    mkdir(context) {
      groups.push(context.supplementaryGroups);
      return negativeEntry;
    },
  });
  for (const extensions of [u32(0, 32), u32(4000, 32), u32(16, 32, 9, 1), u32(8, 32), u32(8, 0), u32(8, 200)]) {
    expect(transport.ask(request(Opcode.MKDIR, { extensions }, u32(0o755, 0), text('x'))).error).toBe(0);
  }
  expect(groups).toEqual([[], [], [], [], [], []]);
});

test('FORGET and BATCH_FORGET are counted and not answered, whatever happens', () => {
  const forgotten: [number, number][] = [];
  const { transport, errors } = start({
    forget(node, count) {
      if (node === 13) throw new Error('bug');
      forgotten.push([node, count]);
    },
  });
  transport.deliver(
    request(Opcode.FORGET, { nodeId: 5n, unique: 0n }, u64(3)),
    request(Opcode.BATCH_FORGET, {}, u32(2, 0), u64(6, 1, 2n ** 52n, 2)),
    request(Opcode.BATCH_FORGET, {}, u32(3, 0), u64(6, 1)),
    request(Opcode.BATCH_FORGET, {}, u32(0xffff_ffff, 0), u64(6, 1)),
    request(Opcode.FORGET, { nodeId: 13n }, u64(1)),
    request(Opcode.FORGET, {}),
  );
  expect(transport.replies).toHaveLength(1);
  expect(forgotten).toEqual([
    [5, 3],
    [6, 1],
    [2 ** 52, 2],
  ]);
  expect(errors).toHaveLength(4);
});

test('without a handler forgets are ignored', () => {
  const { transport, errors } = start({});
  transport.deliver(request(Opcode.FORGET, {}, u64(3)), request(Opcode.BATCH_FORGET, {}, u32(1, 0), u64(6, 1)));
  expect([transport.replies.length, errors.length]).toEqual([1, 0]);
});

test('an interrupt aborts the signal of the request it is for; a handler that gives up is EINTR', async () => {
  const { transport, errors } = start({
    lookup: (context, _parent, name) =>
      Buffer.from(name).toString() === 'node'
        ? sleep(100_000, negativeEntry, { signal: context.signal })
        : new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason as Error))),
  });
  transport.deliver(lookup({ unique: 100n }), lookup({ unique: 2n ** 60n }, 'node'), lookup({ unique: 102n }));
  await turn();
  expect(transport.replies).toHaveLength(1);
  transport.deliver(interrupt(100n), interrupt(2n ** 60n));
  await turn();
  expect(transport.replies.slice(1).map(({ error, unique }) => [error, unique])).toEqual([
    [EINTR, 100n],
    [EINTR, 2n ** 60n],
  ]);
  expect(errors).toEqual([]);
});

test('a handler may finish in spite of an interrupt, and may look at its signal afterwards', async () => {
  const finish = Promise.withResolvers<EntryReply>();
  let isAborted: boolean | undefined;
  const { transport } = start({
    async lookup(context) {
      const entry = await finish.promise;
      isAborted = context.signal.aborted;
      return entry;
    },
  });
  transport.deliver(lookup({ unique: 100n }));
  transport.deliver(interrupt(100n));
  finish.resolve(negativeEntry);
  await turn();
  expect(transport.replies.at(-1)).toMatchObject({ error: 0, unique: 100n });
  expect(isAborted).toBe(true);
});

test('an interrupt of a request that is not waiting is EAGAIN, so that the kernel may repeat it', () => {
  const { transport } = start({ lookup: () => negativeEntry });
  transport.ask(lookup({ unique: 100n }));
  expect(transport.ask(interrupt(100n))).toMatchObject({ error: EAGAIN, unique: 101n });
  expect(transport.ask(interrupt(555n))).toMatchObject({ error: EAGAIN, unique: 556n });
});

test('names and data that a waiting handler was given stay as they are while other requests come', async () => {
  const finish = Promise.withResolvers<void>();
  const { transport } = start({
    async lookup(_context, _parent, name) {
      await finish.promise;
      throw new FsError(Buffer.from(name).toString() as 'ENOENT');
    },
    async write(_context, _node, _handle, _offset, data) {
      await finish.promise;
      return data.every((byte) => byte === data[0]) ? (data[0] ?? 0) : 0;
    },
  });
  const codes = ['ENOENT', 'EACCES', 'EEXIST'];
  for (const [index, code] of codes.entries()) {
    transport.deliver(lookup({}, code));
    const data = Buffer.alloc(1024 * 1024, 10 + index);
    transport.deliver(request(Opcode.WRITE, {}, u64(5, 0), u32(data.length, 0), u64(0), u32(0, 0), data));
  }
  finish.resolve();
  await turn();
  const replies = transport.replies.slice(1);
  expect(replies.filter(({ error }) => error < 0).map(({ error }) => error)).toEqual([-2, -13, -17]);
  expect(replies.filter(({ error }) => error === 0).map(({ body }) => body.readUInt32LE(0))).toEqual([10, 11, 12]);
});

test('no more requests are taken than may wait at a time, and the rest when they are done', async () => {
  const waiting: PromiseWithResolvers<EntryReply>[] = [];
  const { transport } = start({
    lookup() {
      const one = Promise.withResolvers<EntryReply>();
      waiting.push(one);
      return one.promise;
    },
  });
  transport.deliver(...Array.from({ length: MAX_IN_FLIGHT + 10 }, () => lookup()));
  expect([waiting.length, transport.waiting, transport.isPaused]).toEqual([MAX_IN_FLIGHT, 10, true]);
  waiting[0]?.resolve(negativeEntry);
  await turn();
  await turn();
  expect([waiting.length, transport.waiting]).toEqual([MAX_IN_FLIGHT + 1, 9]);
  for (const one of waiting) one.resolve(negativeEntry);
  await turn();
  await turn();
  expect(transport.waiting).toBe(0);
  for (const one of waiting) one.resolve(negativeEntry);
  await turn();
  expect(transport.replies).toHaveLength(1 + MAX_IN_FLIGHT + 10);
});

test('the bytes of waiting requests have a limit too', async () => {
  const finish = Promise.withResolvers<number>();
  const { transport } = start({ write: () => finish.promise });
  const write = request(Opcode.WRITE, {}, u64(5, 0), u32(1024 * 1024, 0), u64(0), u32(0, 0), Buffer.alloc(1024 * 1024));
  const count = MAX_PINNED_BYTES / (1024 * 1024);
  for (let index = 0; index < count + 5; index += 1) {
    write.writeBigUInt64LE(BigInt(1000 + index), 8);
    transport.deliver(Buffer.from(write));
  }
  expect([transport.waiting, transport.isPaused]).toEqual([5, true]);
  finish.resolve(1);
  await turn();
  await turn();
  expect(transport.waiting).toBe(0);
  await turn();
  expect(transport.replies).toHaveLength(1 + count + 5);
});

test('waiting for locks keeps nobody else waiting, and has a limit of its own', async () => {
  const finish = Promise.withResolvers<void>();
  const { transport } = start({ setlk: (_context, _node, _handle, _owner, _lock, wait) => (wait ? finish.promise : undefined) });
  for (let index = 0; index < MAX_WAITING_LOCKS; index += 1) transport.deliver(lock(Opcode.SETLKW));
  expect(transport.isPaused).toBe(false);
  expect(transport.ask(lock(Opcode.SETLK)).error).toBe(0);
  expect(transport.ask(lock(Opcode.SETLKW)).error).toBe(ENOLCK);
  finish.resolve();
  await turn();
  expect(transport.replies).toHaveLength(1 + MAX_WAITING_LOCKS + 2);
  transport.deliver(lock(Opcode.SETLKW));
  await turn();
  expect(transport.replies.at(-1)?.error).toBe(0);
});

test('a reply nobody waits for any more is dropped, one the kernel refuses becomes EIO and is reported', () => {
  const { transport, errors } = start({ lookup: () => negativeEntry });
  transport.onSend = () => {
    throw new SystemCallError('write', 2);
  };
  transport.deliver(lookup());
  expect(errors).toEqual([]);
  transport.onSend = (reply) => {
    if (reply.error === 0) throw new SystemCallError('write', 22);
  };
  expect(transport.ask(lookup()).error).toBe(EIO);
  expect(errors).toMatchObject([{ error: { code: 'EINVAL' }, name: 'LOOKUP' }]);
});

test('only root and the owner may ask where that was said, others only on what is open', () => {
  const { transport } = start({ lookup: () => negativeEntry, read: () => 0, fsync: () => {} }, { onlyRootAndUid: 1000 });
  expect([0, 1000, 1001].map((uid) => transport.ask(lookup({ uid })).error)).toEqual([0, 0, EACCES]);
  expect(transport.ask(request(Opcode.FSYNC, { uid: 1001 }, u64(1), u32(0, 0))).error).toBe(0);
});

test('unmounting ends the session: waiting handlers are interrupted, destroy comes last and once', async () => {
  const events: string[] = [];
  const { transport, session } = start({
    async lookup(context) {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      events.push('interrupted');
      await turn();
      events.push('done');
      return negativeEntry;
    },
    destroy() {
      events.push('destroyed');
    },
  });
  transport.deliver(lookup());
  transport.fail(19);
  await session.ended;
  expect(events).toEqual(['interrupted', 'done', 'destroyed']);
  expect([session.isOver, transport.isClosed]).toEqual([true, true]);
});

test('DESTROY is answered when the handler is done, which is not called again', async () => {
  let destroyed = 0;
  const finish = Promise.withResolvers<void>();
  const { transport, session } = start({
    destroy() {
      destroyed += 1;
      return finish.promise;
    },
  });
  transport.deliver(request(Opcode.DESTROY, {}));
  await turn();
  expect(transport.replies).toHaveLength(1);
  finish.resolve();
  await turn();
  expect(transport.replies.at(-1)?.error).toBe(0);
  transport.fail(19);
  await session.ended;
  expect(destroyed).toBe(1);
});

test('a device that fails rejects the end, after the handlers were told', async () => {
  let isDestroyed = false;
  const { transport, session } = start({
    destroy() {
      isDestroyed = true;
    },
  });
  transport.fail(5);
  await expect(session.ended).rejects.toMatchObject({ code: 'EIO' });
  expect(isDestroyed).toBe(true);
});

test('a handler that fails to end is heard of by the end', async () => {
  const { transport, session } = start({ destroy: () => Promise.reject(new Error('disk full')) });
  transport.fail(19);
  await expect(session.ended).rejects.toThrow('disk full');
});

test('a session that ends before INIT says so', async () => {
  const transport = new FakeTransport();
  const session = new Session(transport, {}, { onError: () => {} });
  session.start();
  transport.fail(19);
  await expect(session.initialized).rejects.toThrow(/unmounted before/);
  await session.ended;
});

test('requests that contradict themselves are EINVAL', () => {
  const { transport, errors } = start({
    lookup: () => negativeEntry,
    write: () => 0,
    read: () => 0,
    setattr: () => Promise.reject(new Error('called')),
  });
  const refused: readonly Buffer[] = [
    request(Opcode.LOOKUP, {}, Buffer.from('no end')),
    request(Opcode.LOOKUP, {}),
    request(Opcode.LOOKUP, {}, text('')),
    lookup({ claimedLength: 5000 }),
    lookup({ claimedLength: 10 }),
    lookup({ nodeId: 2n ** 53n }),
    lookup({}).subarray(0, 39),
    request(Opcode.WRITE, {}, u64(5, 0), u32(5, 0), u64(0), u32(0, 0), Buffer.from('four')),
    request(Opcode.WRITE, {}, u64(5, 0), u32(0xffff_ffff, 0), u64(0), u32(0, 0), Buffer.from('four')),
    request(Opcode.WRITE, {}, u64(2n ** 60n, 0), u32(4, 0), u64(0), u32(0, 0), Buffer.from('four')),
    request(Opcode.READ, {}, u64(5, 0), u32(4, 0)),
    request(Opcode.SETATTR, {}, u32(0x10, 0), Buffer.alloc(48), u32(1_000_000_000), Buffer.alloc(28)),
    request(Opcode.SETATTR, {}, u32(0, 0)),
  ];
  for (const message of refused) expect(transport.ask(message).error).toBe(EINVAL);
  expect(errors).toEqual([]);
});

test('what has no identity is not answered, since the kernel would take that for a notification', () => {
  const { transport, errors } = start({ lookup: () => negativeEntry });
  transport.deliver(lookup({ unique: 0n }), lookup().subarray(0, 12), Buffer.alloc(3));
  expect(transport.replies).toHaveLength(1);
  expect(errors).toHaveLength(3);
  expect(transport.ask(lookup()).error).toBe(0);
});
