/** Requests that look up, make, move and remove names. */
import type { EntryReply, OpenReply } from '../handlers.ts';
import { Opcode } from '../abi/opcodes.ts';
import { ENTRY_OUT_BYTES, OPEN_OUT_BYTES, OUT_HEADER_BYTES } from '../abi/protocol.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

function encodeEntry(reply: ReplyBuffer, entry: EntryReply): number {
  reply.entry(OUT_HEADER_BYTES, entry);
  return OUT_HEADER_BYTES + ENTRY_OUT_BYTES;
}

function encodeCreated(reply: ReplyBuffer, created: { entry: EntryReply; open: OpenReply }): number {
  reply.entry(OUT_HEADER_BYTES, created.entry);
  reply.open(OUT_HEADER_BYTES + ENTRY_OUT_BYTES, created.open);
  return OUT_HEADER_BYTES + ENTRY_OUT_BYTES + OPEN_OUT_BYTES;
}

export const namespaceOperations: readonly (readonly [number, Operation])[] = [
  [
    Opcode.LOOKUP,
    operation({
      handler: 'lookup',
      run: (handlers, request, message) => handlers.lookup(request, message.nodeId, message.string(0)),
      encode: encodeEntry,
    }),
  ],
  [
    Opcode.MKNOD,
    operation({
      handler: 'mknod',
      run: (handlers, request, message) =>
        handlers.mknod(request, message.nodeId, message.string(16), message.uint32(0), message.uint32(4), message.uint32(8)),
      encode: encodeEntry,
    }),
  ],
  [
    Opcode.MKDIR,
    operation({
      handler: 'mkdir',
      run: (handlers, request, message) => handlers.mkdir(request, message.nodeId, message.string(8), message.uint32(0), message.uint32(4)),
      encode: encodeEntry,
    }),
  ],
  [
    Opcode.SYMLINK,
    operation({
      handler: 'symlink',
      run(handlers, request, message) {
        const name = message.string(0);
        return handlers.symlink(request, message.nodeId, name, message.string(name.length + 1));
      },
      encode: encodeEntry,
    }),
  ],
  [
    Opcode.LINK,
    operation({
      handler: 'link',
      run: (handlers, request, message) => handlers.link(request, message.safeUint64(0), message.nodeId, message.string(8)),
      encode: encodeEntry,
    }),
  ],
  [
    Opcode.UNLINK,
    operation({
      handler: 'unlink',
      run: (handlers, request, message) => handlers.unlink(request, message.nodeId, message.string(0)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.RMDIR,
    operation({
      handler: 'rmdir',
      run: (handlers, request, message) => handlers.rmdir(request, message.nodeId, message.string(0)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.RENAME,
    operation({
      handler: 'rename',
      run(handlers, request, message) {
        const name = message.string(8);
        return handlers.rename(request, message.nodeId, name, message.safeUint64(0), message.string(8 + name.length + 1), 0);
      },
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.RENAME2,
    operation({
      handler: 'rename',
      run(handlers, request, message) {
        const name = message.string(16);
        const newName = message.string(16 + name.length + 1);
        return handlers.rename(request, message.nodeId, name, message.safeUint64(0), newName, message.uint32(8));
      },
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.CREATE,
    operation({
      handler: 'create',
      run: (handlers, request, message) =>
        handlers.create(request, message.nodeId, message.string(16), message.uint32(4), message.uint32(0), message.uint32(8)),
      encode: encodeCreated,
    }),
  ],
  [
    Opcode.TMPFILE,
    operation({
      handler: 'tmpfile',
      run: (handlers, request, message) =>
        handlers.tmpfile(request, message.nodeId, message.uint32(4), message.uint32(0), message.uint32(8)),
      encode: encodeCreated,
    }),
  ],
];
