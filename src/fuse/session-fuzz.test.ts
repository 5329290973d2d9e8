/** Random and damaged requests: a session answers each that can be answered exactly once, calls handlers only with sound arguments, lives on. */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeTransport } from '../../tests/support/fuse/fake-transport.ts';
import { recordingHandlers, type Call, type HandlerName } from '../../tests/support/fuse/recording-handlers.ts';
import { init, request, text, u32, u64 } from '../../tests/support/fuse/requests.ts';
import { MAX_OPCODE, Opcode } from './abi/opcodes.ts';
import { Session } from './session.ts';

const attributes = {
  ino: 1,
  size: 1n,
  blocks: 1n,
  atimeNs: 1n,
  mtimeNs: 1n,
  ctimeNs: 1n,
  mode: 0o100_644,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blockSizeBytes: 4096,
};
const entry = { nodeId: 5, generation: 0, entryTimeoutMs: 0, attributesTimeoutMs: 0, attributes };
const open = { handle: 1, openFlags: 0 };
const results: Partial<Record<HandlerName, unknown>> = {
  lookup: entry,
  mknod: entry,
  mkdir: entry,
  symlink: entry,
  link: entry,
  getattr: { attributesTimeoutMs: 1, attributes },
  setattr: { attributesTimeoutMs: 1, attributes },
  statx: { attributesTimeoutMs: 1, attributes },
  readlink: Buffer.from('target'),
  open,
  opendir: open,
  create: { entry, open },
  tmpfile: { entry, open },
  getxattr: Buffer.from('value'),
  listxattr: [Buffer.from('name')],
  getlk: { start: 0n, end: 1n, type: 0, pid: 0 },
  lseek: 1n,
  copyFileRange: 1n,
  ioctl: { result: 0, output: new Uint8Array(0) },
  statfs: {
    blocks: 1n,
    freeBlocks: 1n,
    availableBlocks: 1n,
    files: 1n,
    freeFiles: 1n,
    blockSizeBytes: 1,
    fragmentSizeBytes: 1,
    maxNameLength: 1,
  },
  write: 0,
  read: 0,
};

const unanswered: ReadonlySet<number> = new Set([Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.NOTIFY_REPLY]);

function start(isLater: boolean): { transport: FakeTransport; calls: Call[] } {
  const transport = new FakeTransport();
  const calls: Call[] = [];
  const handlers = recordingHandlers(calls, (name) => {
    const result = results[name];
    return isLater && name !== 'forget' ? Promise.resolve(name === 'read' ? new Uint8Array(0) : result) : result;
  });
  new Session(transport, handlers, { onError: () => {}, maxWriteBytes: 65_536 }).start();
  transport.ask(init());
  return { transport, calls };
}

/** A read from /dev/fuse never returns more. */
const MAX_MESSAGE_BYTES = 65_536;

/** Numbers that structures are full of, and those at the edges. */
const edge = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const part = fc.oneof(
  fc.array(edge, { maxLength: 8 }).map((values) => u64(...values)),
  fc.array(fc.nat({ max: 300 }), { maxLength: 8 }).map((values) => u32(...values)),
  fc.string({ maxLength: 40 }).map((value) => text(value)),
  fc.uint8Array({ maxLength: 200 }),
);
const header = fc.record({
  unique: edge,
  nodeId: fc.oneof(fc.constant(1n), edge),
  uid: fc.nat(),
  extensions: fc.oneof(
    fc.constant(new Uint8Array(0)),
    fc.array(fc.nat({ max: 40 }), { maxLength: 10 }).map((values) => u32(...values, ...(values.length % 2 === 0 ? [] : [0]))),
  ),
});
const opcode = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: MAX_OPCODE + 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 4096, 0xffff_ffff, 1_048_576) },
);
const message = fc
  .tuple(opcode, header, fc.array(part, { maxLength: 5 }), fc.oneof(fc.constant(undefined), fc.nat({ max: 10_000 })))
  .map(([opcode, header, parts, claimedLength]) =>
    request(opcode, { ...header, ...(claimedLength === undefined ? {} : { claimedLength }) }, ...parts).subarray(0, MAX_MESSAGE_BYTES),
  );
const truncated = fc.tuple(message, fc.nat({ max: 120 })).map(([whole, length]) => whole.subarray(0, length));
const noise = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** The request's identity, if it has one and wants a reply. */
function answerable(bytes: Buffer): bigint | undefined {
  if (bytes.length < 16 || unanswered.has(bytes.readUInt32LE(4))) return undefined;
  const unique = bytes.readBigUInt64LE(8);
  return unique === 0n ? undefined : unique;
}

for (const isLater of [false, true]) {
  test(`any request is answered once or not at all, handlers answering ${isLater ? 'later' : 'at once'}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(message, truncated, noise), { minLength: 1, maxLength: 12 }), async (messages) => {
        const { transport, calls } = start(isLater);
        // Identities repeat in random requests, which a kernel never does: one at a time.
        for (const bytes of messages) {
          const before = transport.replies.length;
          transport.deliver(bytes);
          await setImmediate();
          const replies = transport.replies.slice(before);
          const unique = answerable(bytes);
          expect(replies.map((reply) => reply.unique)).toEqual(unique === undefined ? [] : [unique]);
          for (const reply of replies) {
            expect(reply.lengthBytes).toBe(16 + reply.body.length);
            expect(reply.error).toBeLessThanOrEqual(0);
            expect(reply.error).toBeGreaterThan(-512);
          }
        }
        for (const { args } of calls) {
          for (const arg of args) expect(typeof arg !== 'number' || (Number.isSafeInteger(arg) && arg >= 0)).toBe(true);
        }
        transport.deliver(request(Opcode.GETATTR, { unique: 77n }, Buffer.alloc(16)));
        await setImmediate();
        expect(transport.replies.at(-1)).toMatchObject({ unique: 77n, error: 0 });
      }),
      { numRuns: 250 },
    );
  });
}
