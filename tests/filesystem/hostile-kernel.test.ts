/**
 * Requests as no kernel sends them, to the whole file system: decoder, adapter, operations, database, block cache. Whatever they say, each is
 * answered once, with an error that somebody meant, and the file system goes on.
 */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Opcode } from '../../src/fuse/abi/opcodes.ts';
import { MessageError } from '../../src/fuse/message-error.ts';
import { Session } from '../../src/fuse/session.ts';
import { ControlFile, type ControlActions } from '../../src/filesystem/control-file.ts';
import { FuseAdapter } from '../../src/mount/fuse-adapter.ts';
import { WriteGate } from '../../src/mount/write-gate.ts';
import { FakeTransport } from '../support/fuse/fake-transport.ts';
import { answerable, randomRequests } from '../support/fuse/random-requests.ts';
import { init, request, text, u32, u64 } from '../support/fuse/requests.ts';
import { MemoryFileSystem, ROOT } from '../support/memory-file-system.ts';
import { LONG } from '../support/options.ts';

const RUNS = LONG ? 5000 : 150;
const REQUESTS_PER_RUN = 20;
const CONTROL_NODE = 2;
const NAMES = ['a', 'b', 'c', '.', '..', '.__s3ql__ctrl__', 'n'.repeat(255), 'n'.repeat(256)];
const XATTRS = ['user.x', 'system.posix_acl_access', 'system.posix_acl_default', 'trusted.y', 's3ql_flushcache!', 'copy', 'z'];

const number = fc.oneof(
  fc.nat(300_000).map(BigInt),
  fc.constantFrom(0n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
);
const name = fc.constantFrom(...NAMES).map((value) => text(value));
const mode = fc.nat(0o177777);
const nodeId = fc.oneof(fc.integer({ min: 1, max: 12 }).map(BigInt));
const fields = (count: number): fc.Arbitrary<Buffer> =>
  fc.array(number, { minLength: count, maxLength: count }).map((values) => u64(...values));

/** Requests of the right form, about inodes and names that may exist, with values that make little sense. */
const soundBody: fc.Arbitrary<readonly [number, readonly Uint8Array[]]> = fc.oneof(
  name.map((of) => [Opcode.LOOKUP, [of]] as const),
  fc.tuple(mode, name).map(([bits, of]) => [Opcode.MKNOD, [u32(bits, 7, 0o22, 0), of]] as const),
  fc.tuple(mode, name).map(([bits, of]) => [Opcode.MKDIR, [u32(bits, 0), of]] as const),
  fc.tuple(name, name).map(([of, target]) => [Opcode.SYMLINK, [of, target]] as const),
  name.map((of) => [Opcode.UNLINK, [of]] as const),
  name.map((of) => [Opcode.RMDIR, [of]] as const),
  fc.tuple(nodeId, fc.nat(8), name, name).map(([to, flags, from, into]) => [Opcode.RENAME2, [u64(to), u32(flags, 0), from, into]] as const),
  fc.tuple(nodeId, name).map(([of, into]) => [Opcode.LINK, [u64(of), into]] as const),
  fc.tuple(fc.nat(0o7777777), mode, name).map(([flags, bits, of]) => [Opcode.CREATE, [u32(flags, bits, 0o22, 0), of]] as const),
  fc.tuple(fc.nat(0o7777777), fc.nat(3)).map(([flags, openFlags]) => [Opcode.OPEN, [u32(flags, openFlags)]] as const),
  fc
    .tuple(fc.nat(0xfff), fields(6), mode)
    .map(([valid, values, bits]) => [Opcode.SETATTR, [u32(valid, 0), values, u32(0, bits, 0, 7, 8, 0, 0, 0)]] as const),
  fc.tuple(fields(2), fc.nat(70_000)).map(([values, size]) => [Opcode.READ, [values, u32(size, 0), u64(0), u32(0, 0)]] as const),
  fc
    .tuple(fields(2), fc.uint8Array({ maxLength: 3000 }))
    .map(([values, data]) => [Opcode.WRITE, [values, u32(data.length, 4), u64(0), u32(0, 0), data]] as const),
  fc
    .tuple(fc.constantFrom(...XATTRS), fc.uint8Array({ maxLength: 300 }))
    .map(([of, value]) => [Opcode.SETXATTR, [u32(value.length, 0, 0, 0), text(of), value]] as const),
  fc.constantFrom(...XATTRS).map((of) => [Opcode.GETXATTR, [u32(4096, 0), text(of)]] as const),
  fc.constantFrom(...XATTRS).map((of) => [Opcode.REMOVEXATTR, [text(of)]] as const),
  fc.constant([Opcode.LISTXATTR, [u32(4096, 0)]] as const),
  fc.tuple(fields(3), fc.nat(0x7f)).map(([values, flags]) => [Opcode.FALLOCATE, [values, u32(flags, 0)]] as const),
  fc.tuple(fields(2), fc.nat(6)).map(([values, whence]) => [Opcode.LSEEK, [values, u32(whence, 0)]] as const),
  fc
    .tuple(number, number, nodeId, number, number)
    .map(([handle, from, to, at, size]) => [Opcode.COPY_FILE_RANGE, [u64(handle, from, to, 0, at, size, 0)]] as const),
  fields(2).map((values) => [Opcode.READDIR, [values, u32(4096, 0), u64(0), u32(0, 0)]] as const),
  fields(2).map((values) => [Opcode.READDIRPLUS, [values, u32(4096, 0), u64(0), u32(0, 0)]] as const),
  fc.nat(100).map((count) => [Opcode.FORGET, [u64(count)]] as const),
  fc.constant([Opcode.READLINK, []] as const),
  fc.constant([Opcode.STATFS, []] as const),
  fc.constant([Opcode.FSYNC, [u64(0), u32(0, 0)]] as const),
  fc.constant([Opcode.GETATTR, [u32(0, 0), u64(0)]] as const),
);
const sound = fc
  .tuple(soundBody, nodeId, fc.constantFrom(0, 1000))
  .map(([[code, parts], node, uid]) => request(code, { nodeId: node, uid }, ...parts));

/** Whatever the control file is asked for is done at once. */
const actions = new Proxy({}, { get: () => () => Promise.resolve() }) as ControlActions;

test('requests that make no sense are answered, harm nothing, and meet no error that nobody foresaw', async () => {
  await using system = await MemoryFileSystem.open();
  const transport = new FakeTransport();
  const unforeseen: unknown[] = [];
  const adapter = new FuseAdapter({
    fileSystem: system.fs,
    controlFile: new ControlFile(actions),
    gate: new WriteGate(),
    generation: 1,
    ownerUid: 0,
    ownerGid: 0,
    kernelChecksPermissions: false,
    forgetAttributes: async () => undefined,
  });
  const onError = (error: unknown): void => void (error instanceof MessageError || unforeseen.push(error));
  new Session(transport, adapter, { onError, maxWriteBytes: 65_536 }).start();
  transport.ask(init());
  const anyRequest = fc.oneof({ weight: 3, arbitrary: sound }, randomRequests(nodeId));
  await fc.assert(
    fc.asyncProperty(fc.array(anyRequest, { minLength: 1, maxLength: REQUESTS_PER_RUN }), async (requests) => {
      for (const bytes of requests) {
        const before = transport.replies.length;
        transport.deliver(bytes);
        const unique = answerable(bytes);
        if (unique !== undefined) while (transport.replies.length === before) await setImmediate();
        expect(transport.replies.slice(before).map((reply) => reply.unique)).toEqual(unique === undefined ? [] : [unique]);
      }
      expect(unforeseen).toEqual([]);
    }),
    { numRuns: RUNS },
  );
  expect(transport.ask(request(Opcode.GETATTR, { nodeId: BigInt(ROOT) }, Buffer.alloc(16))).error).toBe(0);
  expect(transport.ask(request(Opcode.GETATTR, { nodeId: BigInt(CONTROL_NODE) }, Buffer.alloc(16))).error).toBe(0);
});
