/** Requests for attributes, symbolic links' targets, permissions, and figures of the whole file system. */
import { GetattrFlag, SetattrFlag } from '../abi/flags.ts';
import { Opcode } from '../abi/opcodes.ts';
import { ATTR_OUT_BYTES, OUT_HEADER_BYTES } from '../abi/protocol.ts';
import type { AttributesReply, SetAttributes } from '../handlers.ts';
import type { Message } from '../message.ts';
import { STATX_OUT_BYTES, type ReplyBuffer } from '../reply-buffer.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

const STATFS_OUT_BYTES = 80;
const SETATTR_IN_BYTES = 88;

function encodeAttributes(reply: ReplyBuffer, attributes: AttributesReply): number {
  reply.attributesReply(OUT_HEADER_BYTES, attributes);
  return OUT_HEADER_BYTES + ATTR_OUT_BYTES;
}

/** struct fuse_setattr_in: only what `valid` names is there. */
function decodeSetAttributes(message: Message): SetAttributes {
  message.require(SETATTR_IN_BYTES);
  const valid = message.uint32(0);
  const set: { -readonly [Key in keyof SetAttributes]: SetAttributes[Key] } = { killSuidgid: (valid & SetattrFlag.KILL_SUIDGID) !== 0 };
  if (valid & SetattrFlag.FH) set.handle = message.safeUint64(8);
  if (valid & SetattrFlag.SIZE) set.size = message.uint64(16);
  if (valid & SetattrFlag.ATIME) set.atimeNs = valid & SetattrFlag.ATIME_NOW ? 'now' : message.timeNs(32, 56);
  if (valid & SetattrFlag.MTIME) set.mtimeNs = valid & SetattrFlag.MTIME_NOW ? 'now' : message.timeNs(40, 60);
  if (valid & SetattrFlag.CTIME) set.ctimeNs = message.timeNs(48, 64);
  if (valid & SetattrFlag.MODE) set.mode = message.uint32(68);
  if (valid & SetattrFlag.UID) set.uid = message.uint32(76);
  if (valid & SetattrFlag.GID) set.gid = message.uint32(80);
  return set;
}

export const attributeOperations: readonly (readonly [number, Operation])[] = [
  [
    Opcode.GETATTR,
    operation({
      handler: 'getattr',
      run: (handlers, request, message) =>
        handlers.getattr(request, message.nodeId, message.uint32(0) & GetattrFlag.FH ? message.safeUint64(8) : undefined),
      encode: encodeAttributes,
    }),
  ],
  [
    Opcode.SETATTR,
    operation({
      handler: 'setattr',
      run: (handlers, request, message) => handlers.setattr(request, message.nodeId, decodeSetAttributes(message)),
      encode: encodeAttributes,
    }),
  ],
  [
    Opcode.STATX,
    operation({
      handler: 'statx',
      run: (handlers, request, message) =>
        handlers.statx(
          request,
          message.nodeId,
          message.uint32(0) & GetattrFlag.FH ? message.safeUint64(8) : undefined,
          message.uint32(16),
          message.uint32(20),
        ),
      encode(reply, attributes) {
        reply.statx(OUT_HEADER_BYTES, attributes);
        return OUT_HEADER_BYTES + STATX_OUT_BYTES;
      },
    }),
  ],
  [
    Opcode.READLINK,
    operation({
      handler: 'readlink',
      run: (handlers, request, message) => handlers.readlink(request, message.nodeId),
      encode: (reply, target) => reply.payload(OUT_HEADER_BYTES, target),
    }),
  ],
  [
    Opcode.ACCESS,
    operation({
      handler: 'access',
      run: (handlers, request, message) => handlers.access(request, message.nodeId, message.uint32(0)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.STATFS,
    operation({
      handler: 'statfs',
      run: (handlers, request, message) => handlers.statfs(request, message.nodeId),
      encode(reply, statfs) {
        reply.statfs(OUT_HEADER_BYTES, statfs);
        return OUT_HEADER_BYTES + STATFS_OUT_BYTES;
      },
    }),
  ],
  [
    Opcode.SYNCFS,
    operation({
      handler: 'syncfs',
      run: (handlers, request, message) => handlers.syncfs(request, message.nodeId),
      encode: encodeNothing,
    }),
  ],
];
