/** Random and damaged requests: a session answers each that can be answered exactly once, calls handlers only with sound arguments, lives on. */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeTransport } from '../../tests/support/fuse/fake-transport.ts';
import { recordingHandlers, type Call, type HandlerName } from '../../tests/support/fuse/recording-handlers.ts';
import { answerable, randomRequests } from '../../tests/support/fuse/random-requests.ts';
import { init, request } from '../../tests/support/fuse/requests.ts';
import { Opcode } from './abi/opcodes.ts';
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

for (const isLater of [false, true]) {
  test(`any request is answered once or not at all, handlers answering ${isLater ? 'later' : 'at once'}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(randomRequests(), { minLength: 1, maxLength: 12 }), async (messages) => {
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
