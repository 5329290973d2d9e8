/** Requests for fcntl(2) and flock(2) locks. */
import { LockFlag } from '../abi/flags.ts';
import { Opcode } from '../abi/opcodes.ts';
import { OUT_HEADER_BYTES } from '../abi/protocol.ts';
import type { LockRange } from '../handlers.ts';
import type { Message } from '../message.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

/** struct fuse_lk_in: fh, owner, struct fuse_file_lock, lk_flags. */
function decodeLock(message: Message): LockRange {
  return { start: message.uint64(16), end: message.uint64(24), type: message.uint32(32), pid: message.uint32(36) };
}

function setlk(wait: boolean): Operation {
  return operation({
    handler: 'setlk',
    run(handlers, request, message) {
      const flock = (message.uint32(40) & LockFlag.FLOCK) !== 0;
      const handle = message.safeUint64(0);
      return handlers.setlk(request, message.nodeId, handle, message.uint64(8), decodeLock(message), wait, flock);
    },
    encode: encodeNothing,
  });
}

export const lockOperations: readonly (readonly [number, Operation])[] = [
  [
    Opcode.GETLK,
    operation({
      handler: 'getlk',
      run: (handlers, request, message) =>
        handlers.getlk(request, message.nodeId, message.safeUint64(0), message.uint64(8), decodeLock(message)),
      encode(reply, lock) {
        reply.lock(OUT_HEADER_BYTES, lock);
        return OUT_HEADER_BYTES + 24;
      },
    }),
  ],
  [Opcode.SETLK, setlk(false)],
  [Opcode.SETLKW, setlk(true)],
];
