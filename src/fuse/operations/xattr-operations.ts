/** Requests for extended attributes. */
import { constants } from 'node:os';
import { SetxattrFlag } from '../abi/flags.ts';
import { Opcode } from '../abi/opcodes.ts';
import { OUT_HEADER_BYTES } from '../abi/protocol.ts';
import { MessageError } from '../message-error.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';
import type { Request } from '../request.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

const { ERANGE } = constants.errno;

/** `write` puts `sizeBytes` bytes into the reply; a query for the size (0 asked for) gets that alone, too little room ERANGE. */
function encodeSized(reply: ReplyBuffer, request: Request, sizeBytes: number): boolean {
  if (request.limitBytes === 0) {
    reply.uint32(OUT_HEADER_BYTES, sizeBytes);
    reply.uint32(OUT_HEADER_BYTES + 4, 0);
    return false;
  }
  if (sizeBytes > request.limitBytes) throw new MessageError(`${sizeBytes} bytes do not fit in ${request.limitBytes}`, ERANGE);
  return true;
}

const SIZE_REPLY_BYTES = OUT_HEADER_BYTES + 8;

/** SETXATTR; `headerBytes` is the size of struct fuse_setxattr_in, which has two words more where that was negotiated. */
function setxattr(headerBytes: number): Operation {
  return operation({
    handler: 'setxattr',
    run(handlers, request, message) {
      const name = message.string(headerBytes);
      const value = message.take(headerBytes + name.length + 1, message.uint32(0));
      const killSgid = headerBytes === 16 && (message.uint32(8) & SetxattrFlag.ACL_KILL_SGID) !== 0;
      return handlers.setxattr(request, message.nodeId, name, value, message.uint32(4), killSgid);
    },
    encode: encodeNothing,
  });
}

export const setxattrExtended: Operation = setxattr(16);

export const xattrOperations: readonly (readonly [number, Operation])[] = [
  [Opcode.SETXATTR, setxattr(8)],
  [
    Opcode.GETXATTR,
    operation({
      handler: 'getxattr',
      run(handlers, request, message) {
        request.limitBytes = message.uint32(0);
        return handlers.getxattr(request, message.nodeId, message.string(8));
      },
      encode: (reply, value, request) =>
        encodeSized(reply, request, value.length) ? reply.payload(OUT_HEADER_BYTES, value) : SIZE_REPLY_BYTES,
    }),
  ],
  [
    Opcode.LISTXATTR,
    operation({
      handler: 'listxattr',
      run(handlers, request, message) {
        request.limitBytes = message.uint32(0);
        return handlers.listxattr(request, message.nodeId);
      },
      encode(reply, names, request) {
        let sizeBytes = 0;
        for (const name of names) sizeBytes += name.length + 1;
        if (!encodeSized(reply, request, sizeBytes)) return SIZE_REPLY_BYTES;
        let end = OUT_HEADER_BYTES;
        for (const name of names) {
          end = reply.payload(end, name);
          reply.bytes[end] = 0;
          end += 1;
        }
        return end;
      },
    }),
  ],
  [
    Opcode.REMOVEXATTR,
    operation({
      handler: 'removexattr',
      run: (handlers, request, message) => handlers.removexattr(request, message.nodeId, message.string(0)),
      encode: encodeNothing,
    }),
  ],
];
