import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeTransport } from '../../../tests/support/fuse/fake-transport.ts';
import { recordingHandlers, type Call } from '../../../tests/support/fuse/recording-handlers.ts';
import { init, request, text, u32, u64 } from '../../../tests/support/fuse/requests.ts';
import { Opcode } from '../abi/opcodes.ts';
import type { DirectoryFiller, EntryReply } from '../handlers.ts';
import { Session } from '../session.ts';

const attributes = {
  ino: 77,
  size: 2n ** 40n + 5n,
  blocks: 9n,
  atimeNs: 1_234_567_890_123_456_789n,
  mtimeNs: -1n,
  ctimeNs: -1_500_000_000n,
  mode: 0o100_644,
  nlink: 3,
  uid: 4_000_000_000,
  gid: 5,
  rdev: 0x803,
  blockSizeBytes: 4096,
};
/** struct fuse_attr of the above. */
const attributeBytes = Buffer.concat([
  u64(77, 2n ** 40n + 5n, 9, 1_234_567_890, -1, -2),
  u32(123_456_789, 999_999_999, 500_000_000, 0o100_644, 3, 4_000_000_000, 5, 0x803, 4096, 0),
]);
const entry: EntryReply = { nodeId: 2 ** 45 + 3, generation: 8, entryTimeoutMs: 1500, attributesTimeoutMs: 250, attributes };
const entryBytes = Buffer.concat([u64(2n ** 45n + 3n, 8, 1, 0), u32(500_000_000, 250_000_000), attributeBytes]);
const open = { handle: 2 ** 50, openFlags: 0x82, backingId: 12 };
const openBytes = Buffer.concat([u64(2n ** 50n), u32(0x82, 12)]);
const attributeReplyBytes = Buffer.concat([u64(10), u32(0, 0), attributeBytes]);
const attributesReply = { attributesTimeoutMs: 10_000, attributes };
const nothing = Buffer.alloc(0);

let transport: FakeTransport;
let calls: Call[];
let result: unknown;
let errors: unknown[];

beforeEach(() => {
  transport = new FakeTransport();
  calls = [];
  errors = [];
  result = undefined;
  const handlers = recordingHandlers(calls, (_name, args) => (typeof result === 'function' ? result(...args) : result));
  new Session(transport, handlers, { onError: (error) => errors.push(error) }).start();
  transport.ask(init());
});

afterEach(() => {
  if (errors.length > 0) throw new AggregateError(errors, 'The session reported errors');
});

/** One request of each type: how its handler is called, what that returns, and the reply's body. */
const exchanges: readonly {
  opcode: keyof typeof Opcode;
  parts: readonly Uint8Array[];
  handler: Call['name'];
  args: readonly unknown[];
  returns?: unknown;
  body: Uint8Array;
}[] = [
  {
    opcode: 'LOOKUP',
    parts: [text('näme')],
    handler: 'lookup',
    args: [9, Buffer.from('näme').toString('latin1')],
    returns: entry,
    body: entryBytes,
  },
  {
    opcode: 'GETATTR',
    parts: [u32(0, 0), u64(5)],
    handler: 'getattr',
    args: [9, undefined],
    returns: attributesReply,
    body: attributeReplyBytes,
  },
  { opcode: 'GETATTR', parts: [u32(1, 0), u64(5)], handler: 'getattr', args: [9, 5], returns: attributesReply, body: attributeReplyBytes },
  {
    opcode: 'SETATTR',
    parts: [u32(0x7f | 0x400 | 0x800, 0), u64(6, 2n ** 41n, 0, -2, 20, 30), u32(500_000_000, 2, 3, 0o4755, 0, 11, 12, 0)],
    handler: 'setattr',
    args: [
      9,
      {
        mode: 0o4755,
        uid: 11,
        gid: 12,
        size: 2n ** 41n,
        atimeNs: -1_500_000_000n,
        mtimeNs: 20_000_000_002n,
        ctimeNs: 30_000_000_003n,
        handle: 6,
        killSuidgid: true,
      },
    ],
    returns: attributesReply,
    body: attributeReplyBytes,
  },
  {
    opcode: 'SETATTR',
    parts: [u32(0x30 | 0x80 | 0x100, 0), Buffer.alloc(80)],
    handler: 'setattr',
    args: [9, { atimeNs: 'now', mtimeNs: 'now', killSuidgid: false }],
    returns: attributesReply,
    body: attributeReplyBytes,
  },
  { opcode: 'READLINK', parts: [], handler: 'readlink', args: [9], returns: Buffer.from('../target'), body: Buffer.from('../target') },
  {
    opcode: 'SYMLINK',
    parts: [text('new'), text('target')],
    handler: 'symlink',
    args: [9, 'new', 'target'],
    returns: entry,
    body: entryBytes,
  },
  {
    opcode: 'MKNOD',
    parts: [u32(0o20_644, 0x501, 0o22, 0), text('dev')],
    handler: 'mknod',
    args: [9, 'dev', 0o20_644, 0x501, 0o22],
    returns: entry,
    body: entryBytes,
  },
  {
    opcode: 'MKDIR',
    parts: [u32(0o755, 0o27), text('dir')],
    handler: 'mkdir',
    args: [9, 'dir', 0o755, 0o27],
    returns: entry,
    body: entryBytes,
  },
  { opcode: 'UNLINK', parts: [text('x')], handler: 'unlink', args: [9, 'x'], body: nothing },
  { opcode: 'RMDIR', parts: [text('x')], handler: 'rmdir', args: [9, 'x'], body: nothing },
  { opcode: 'RENAME', parts: [u64(10), text('old'), text('new')], handler: 'rename', args: [9, 'old', 10, 'new', 0], body: nothing },
  {
    opcode: 'RENAME2',
    parts: [u64(10), u32(2, 0), text('old'), text('new')],
    handler: 'rename',
    args: [9, 'old', 10, 'new', 2],
    body: nothing,
  },
  { opcode: 'LINK', parts: [u64(33), text('hard')], handler: 'link', args: [33, 9, 'hard'], returns: entry, body: entryBytes },
  { opcode: 'OPEN', parts: [u32(0o2001, 1)], handler: 'open', args: [9, 0o2001, 1], returns: open, body: openBytes },
  {
    opcode: 'CREATE',
    parts: [u32(0o102, 0o644, 0o22, 0), text('file')],
    handler: 'create',
    args: [9, 'file', 0o644, 0o102, 0o22],
    returns: { entry, open },
    body: Buffer.concat([entryBytes, openBytes]),
  },
  {
    opcode: 'TMPFILE',
    parts: [u32(0o102, 0o600, 0o22, 0), text('#1')],
    handler: 'tmpfile',
    args: [9, 0o600, 0o102, 0o22],
    returns: { entry, open: { handle: 1, openFlags: 0 } },
    body: Buffer.concat([entryBytes, u64(1), u32(0, 0)]),
  },
  {
    opcode: 'WRITE',
    parts: [u64(5, 2n ** 40n), u32(4, 2), u64(0), u32(0, 0), Buffer.from('data')],
    handler: 'write',
    args: [9, 5, 2n ** 40n, 'data', 2],
    returns: 3,
    body: u32(3, 0),
  },
  {
    opcode: 'STATFS',
    parts: [],
    handler: 'statfs',
    args: [9],
    returns: {
      blocks: 2n ** 50n,
      freeBlocks: 4n,
      availableBlocks: 3n,
      files: 2n,
      freeFiles: 1n,
      blockSizeBytes: 4096,
      fragmentSizeBytes: 512,
      maxNameLength: 255,
    },
    body: Buffer.concat([u64(2n ** 50n, 4, 3, 2, 1), u32(4096, 255, 512, 0, 0, 0, 0, 0, 0, 0)]),
  },
  { opcode: 'RELEASE', parts: [u64(5), u32(0o1, 3), u64(2n ** 63n)], handler: 'release', args: [9, 5, 1, 3, 2n ** 63n], body: nothing },
  { opcode: 'FSYNC', parts: [u64(5), u32(1, 0)], handler: 'fsync', args: [9, 5, true], body: nothing },
  { opcode: 'FSYNC', parts: [u64(5), u32(0, 0)], handler: 'fsync', args: [9, 5, false], body: nothing },
  { opcode: 'FSYNCDIR', parts: [u64(5), u32(1, 0)], handler: 'fsyncdir', args: [9, 5, true], body: nothing },
  { opcode: 'FLUSH', parts: [u64(5), u32(0, 0), u64(2n ** 64n - 1n)], handler: 'flush', args: [9, 5, 2n ** 64n - 1n], body: nothing },
  {
    opcode: 'SETXATTR',
    parts: [u32(3, 1, 1, 0), text('user.a'), Buffer.from('v\0w')],
    handler: 'setxattr',
    args: [9, 'user.a', 'v\0w', 1, true],
    body: nothing,
  },
  {
    opcode: 'GETXATTR',
    parts: [u32(3, 0), text('user.a')],
    handler: 'getxattr',
    args: [9, 'user.a'],
    returns: Buffer.from('abc'),
    body: Buffer.from('abc'),
  },
  {
    opcode: 'GETXATTR',
    parts: [u32(0, 0), text('user.a')],
    handler: 'getxattr',
    args: [9, 'user.a'],
    returns: Buffer.from('abc'),
    body: u32(3, 0),
  },
  {
    opcode: 'LISTXATTR',
    parts: [u32(64, 0)],
    handler: 'listxattr',
    args: [9],
    returns: [Buffer.from('user.a'), Buffer.from('b')],
    body: Buffer.from('user.a\0b\0'),
  },
  { opcode: 'LISTXATTR', parts: [u32(0, 0)], handler: 'listxattr', args: [9], returns: [Buffer.from('user.a')], body: u32(7, 0) },
  { opcode: 'REMOVEXATTR', parts: [text('user.a')], handler: 'removexattr', args: [9, 'user.a'], body: nothing },
  { opcode: 'OPENDIR', parts: [u32(0o200_000, 0)], handler: 'opendir', args: [9, 0o200_000], returns: open, body: openBytes },
  { opcode: 'RELEASEDIR', parts: [u64(5), u32(0, 0), u64(0)], handler: 'releasedir', args: [9, 5], body: nothing },
  {
    opcode: 'GETLK',
    parts: [u64(5, 99, 10, 20), u32(1, 321), u32(0, 0)],
    handler: 'getlk',
    args: [9, 5, 99n, { start: 10n, end: 20n, type: 1, pid: 321 }],
    returns: { start: 1n, end: 2n ** 63n - 1n, type: 2, pid: 7 },
    body: Buffer.concat([u64(1, 2n ** 63n - 1n), u32(2, 7)]),
  },
  {
    opcode: 'SETLK',
    parts: [u64(5, 99, 10, 20), u32(1, 321), u32(1, 0)],
    handler: 'setlk',
    args: [9, 5, 99n, { start: 10n, end: 20n, type: 1, pid: 321 }, false, true],
    body: nothing,
  },
  {
    opcode: 'SETLKW',
    parts: [u64(5, 99, 10, 20), u32(0, 321), u32(0, 0)],
    handler: 'setlk',
    args: [9, 5, 99n, { start: 10n, end: 20n, type: 0, pid: 321 }, true, false],
    body: nothing,
  },
  { opcode: 'ACCESS', parts: [u32(6, 0)], handler: 'access', args: [9, 6], body: nothing },
  { opcode: 'FALLOCATE', parts: [u64(5, 10, 20), u32(3, 0)], handler: 'fallocate', args: [9, 5, 3, 10n, 20n], body: nothing },
  { opcode: 'LSEEK', parts: [u64(5, 100), u32(4, 0)], handler: 'lseek', args: [9, 5, 100n, 4], returns: 2n ** 40n, body: u64(2n ** 40n) },
  {
    opcode: 'COPY_FILE_RANGE',
    parts: [u64(5, 10, 34, 6, 20, 2n ** 33n, 0)],
    handler: 'copyFileRange',
    args: [9, 5, 10n, 34, 6, 20n, 0xffff_0000n, 0n],
    returns: 0xffff_0000n,
    body: u32(0xffff_0000, 0),
  },
  {
    opcode: 'COPY_FILE_RANGE_64',
    parts: [u64(5, 10, 34, 6, 20, 2n ** 33n, 0)],
    handler: 'copyFileRange',
    args: [9, 5, 10n, 34, 6, 20n, 2n ** 33n, 0n],
    returns: 2n ** 33n,
    body: u64(2n ** 33n),
  },
  {
    opcode: 'IOCTL',
    parts: [u64(5), u32(16, 0xabcd), u64(2n ** 47n), u32(2, 8), Buffer.from('in')],
    handler: 'ioctl',
    args: [9, 5, 16, 0xabcd, 2n ** 47n, 'in', 8],
    returns: { result: -3, output: Buffer.from('out') },
    body: Buffer.concat([u32(-3, 0), u64(0), Buffer.from('out')]),
  },
  {
    opcode: 'STATX',
    parts: [u32(1, 0), u64(5), u32(0x2000, 0xfff)],
    handler: 'statx',
    args: [9, 5, 0x2000, 0xfff],
    returns: { ...attributesReply, birthTimeNs: 3_000_000_004n },
    body: Buffer.concat([
      u64(10),
      u32(0, 0),
      u64(0, 0),
      u32(0xfff, 4096),
      u64(0),
      u32(3, 4_000_000_000, 5, 0o100_644),
      u64(77, 2n ** 40n + 5n, 9, 0),
      u64(1_234_567_890, 123_456_789),
      u64(3, 4),
      u64(-2, 500_000_000),
      u64(-1, 999_999_999),
      u32(8, 3, 0, 0),
      Buffer.alloc(14 * 8),
    ]),
  },
  { opcode: 'SYNCFS', parts: [u64(0)], handler: 'syncfs', args: [9], body: nothing },
];

for (const { opcode, parts, handler, args, returns, body } of exchanges) {
  for (const way of ['at once', 'by a promise'] as const) {
    test(`${opcode} reaches ${handler} as ${JSON.stringify(args, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value))}, answered ${way}`, async () => {
      result = way === 'at once' ? returns : Promise.resolve(returns);
      transport.deliver(request(Opcode[opcode], { nodeId: 9n, unique: 4000n }, ...parts));
      await setImmediate();
      expect(calls).toEqual([{ name: handler, args, uid: handler.startsWith('release') ? undefined : 1000 }]);
      expect(transport.replies.slice(1)).toEqual([{ lengthBytes: 16 + body.length, error: 0, unique: 4000n, body: Buffer.from(body) }]);
    });
  }
}

test('every request type that has a handler is among those tested', () => {
  const elsewhere = ['FORGET', 'BATCH_FORGET', 'INIT', 'DESTROY', 'INTERRUPT', 'READ', 'READDIR', 'READDIRPLUS'];
  const refused = ['BMAP', 'POLL', 'NOTIFY_REPLY', 'SETUPMAPPING', 'REMOVEMAPPING'];
  const tested = new Set<string>([...exchanges.map(({ opcode }) => opcode), ...elsewhere, ...refused]);
  expect(Object.keys(Opcode).filter((name) => !tested.has(name))).toEqual([]);
});

function readRequest(size: number): Buffer {
  return request(Opcode.READ, { nodeId: 9n }, u64(5, 2n ** 40n), u32(size, 0), u64(0), u32(0, 0));
}

test('READ is answered with as many bytes as the handler put into the reply', () => {
  result = (...args: readonly unknown[]) => {
    const reply = args[5] as Uint8Array;
    expect(reply.length).toBe(100);
    reply.set(Buffer.from('content'));
    return 7;
  };
  expect(transport.ask(readRequest(100)).body.toString()).toBe('content');
  expect(calls[0]?.args.slice(0, 4)).toEqual([9, 5, 2n ** 40n, 100]);
});

test('READ is answered with bytes that come later, few or many, and their memory is freed', async () => {
  const lengths: number[] = [];
  for (const length of [0, 10, 1024 * 1024]) {
    const data = Buffer.alloc(length, length % 251);
    const given = Buffer.from(data);
    result = Promise.resolve(given);
    transport.deliver(readRequest(1024 * 1024));
    await setImmediate();
    expect(transport.replies.at(-1)?.body.equals(data)).toBe(true);
    lengths.push(given.length);
  }
  // Small ones are not worth it.
  expect(lengths).toEqual([0, 10, 0]);
});

test('a READ larger than the negotiated size is refused', () => {
  expect(transport.ask(readRequest(1024 * 1024 + 1)).error).toBe(-22);
  expect(calls).toEqual([]);
});

test('more bytes than asked for are an error of the handler, not of the client', async () => {
  result = 101;
  expect(transport.ask(readRequest(100)).error).toBe(-5);
  result = Promise.resolve(Buffer.alloc(101));
  transport.deliver(readRequest(100));
  await setImmediate();
  expect(transport.replies.at(-1)?.error).toBe(-5);
  result = Number.NaN;
  expect(transport.ask(readRequest(100)).error).toBe(-5);
  expect(errors.splice(0)).toHaveLength(3);
});

function list(opcode: number, size: number): Buffer {
  return request(opcode, { nodeId: 9n }, u64(5, 3), u32(size, 0), u64(0), u32(0, 0));
}

/** struct fuse_dirent with a name of up to 8 bytes. */
function direntBytes(ino: number, next: bigint, type: number, name: string): Buffer {
  return Buffer.concat([u64(ino, next), u32(name.length, type), Buffer.from(name.padEnd(8, '\0'))]);
}

test('READDIR carries what the handler adds, until it is full', () => {
  result = (...args: readonly unknown[]) => {
    const filler = args[4] as DirectoryFiller;
    expect(filler.add(Buffer.from('a'), 5, 0o040_755, 2n ** 40n)).toBe(true);
    expect(filler.add(Buffer.from('eightchr'), 6, 0o100_644, 5n)).toBe(true);
    expect(filler.add(Buffer.from('nine char'), 7, 0o120_777, 6n)).toBe(false);
    expect(filler.add(Buffer.from('c'), 8, 0o120_777, 7n)).toBe(true);
  };
  const { body } = transport.ask(list(Opcode.READDIR, 100));
  expect(body).toEqual(Buffer.concat([direntBytes(5, 2n ** 40n, 4, 'a'), direntBytes(6, 5n, 8, 'eightchr'), direntBytes(8, 7n, 10, 'c')]));
  expect(calls[0]?.args.slice(0, 3)).toEqual([9, 5, 3n]);
});

test('READDIRPLUS carries entries with attributes, and those without a lookup', () => {
  result = (...args: readonly unknown[]) => {
    const filler = args[4] as DirectoryFiller;
    expect(filler.addPlus(Buffer.from('.'), 1n, { ...entry, nodeId: 0 })).toBe(true);
    expect(filler.fits(8)).toBe(true);
    expect(filler.fits(9)).toBe(false);
    expect(filler.addPlus(Buffer.from('abc'), 2n, entry)).toBe(true);
    expect(filler.fits(0)).toBe(false);
    expect(filler.addPlus(Buffer.from(''), 3n, entry)).toBe(false);
  };
  const { body } = transport.ask(list(Opcode.READDIRPLUS, 320));
  const unlooked = Buffer.concat([u64(0, 8, 1, 0), u32(500_000_000, 250_000_000), Buffer.alloc(88)]);
  expect(body).toEqual(Buffer.concat([unlooked, direntBytes(77, 1n, 8, '.'), entryBytes, direntBytes(77, 2n, 8, 'abc')]));
});

test('a listing that is filled later does not mix with replies made meanwhile', async () => {
  result = async (...args: readonly unknown[]) => {
    const filler = args[4] as DirectoryFiller;
    filler.add(Buffer.from('first'), 1, 0o040_755, 1n);
    await Promise.resolve();
    filler.add(Buffer.from('second'), 2, 0o040_755, 2n);
  };
  transport.deliver(list(Opcode.READDIR, 4096));
  result = Buffer.alloc(60, 'x');
  transport.deliver(request(Opcode.READLINK, { nodeId: 9n }));
  await setImmediate();
  expect(transport.replies.map(({ body }) => body).slice(1)).toEqual([
    Buffer.alloc(60, 'x'),
    Buffer.concat([direntBytes(1, 1n, 4, 'first'), direntBytes(2, 2n, 4, 'second')]),
  ]);
});

test('an xattr or a list of them that does not fit is ERANGE', () => {
  result = Buffer.alloc(10);
  expect(transport.ask(request(Opcode.GETXATTR, {}, u32(9, 0), text('user.a'))).error).toBe(-34);
  result = [Buffer.from('user.a')];
  expect(transport.ask(request(Opcode.LISTXATTR, {}, u32(6, 0))).error).toBe(-34);
});

test('without the extended form SETXATTR has two words less', () => {
  const old = new FakeTransport();
  const handlers = recordingHandlers(calls, () => undefined);
  new Session(old, handlers, { onError: (error) => errors.push(error), features: { setxattrExtended: false } }).start();
  old.ask(init());
  expect(old.ask(request(Opcode.SETXATTR, {}, u32(1, 2), text('user.a'), Buffer.from('v'))).error).toBe(0);
  expect(calls[0]?.args).toEqual([1, 'user.a', 'v', 2, false]);
});

test('a negative entry has a time-out and no attributes', () => {
  result = { nodeId: 0, generation: 0, entryTimeoutMs: 2000, attributesTimeoutMs: 0 };
  const { body } = transport.ask(request(Opcode.LOOKUP, {}, text('absent')));
  expect(body).toEqual(Buffer.concat([u64(0, 0, 2, 0), u32(0, 0), Buffer.alloc(88)]));
});

test('time-outs have nanoseconds below a second, and an end', () => {
  result = { ...entry, entryTimeoutMs: 999.999_999_9, attributesTimeoutMs: Number.POSITIVE_INFINITY };
  const { body } = transport.ask(request(Opcode.LOOKUP, {}, text('x')));
  expect(body.readBigUInt64LE(16)).toBe(0n);
  expect(body.readUInt32LE(32)).toBeLessThan(1e9);
  expect([body.readBigUInt64LE(24), body.readUInt32LE(36)]).toEqual([0x7fff_ffffn, 0]);
});

test('an entry without the attributes it must have is EIO', () => {
  result = { ...entry, attributes: undefined };
  expect(transport.ask(request(Opcode.LOOKUP, {}, text('x'))).error).toBe(-5);
  expect(errors.splice(0)).toHaveLength(1);
});
