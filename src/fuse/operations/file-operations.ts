/** Requests on open files and their data. */
import { constants } from 'node:os';
import { FsyncFlag } from '../abi/flags.ts';
import { Opcode } from '../abi/opcodes.ts';
import { OPEN_OUT_BYTES, OUT_HEADER_BYTES } from '../abi/protocol.ts';
import type { OpenReply } from '../handlers.ts';
import { MessageError } from '../message-error.ts';
import type { Message } from '../message.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';
import type { Request } from '../request.ts';
import { releaseBuffer } from '../../util/release-buffer.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

const { EINVAL } = constants.errno;
const IOCTL_OUT_BYTES = 16;
/** The result of COPY_FILE_RANGE has 32 bits: so much is copied at most, a multiple of every page size. */
const MAX_COPY_32_BYTES = 0xffff_0000n;

export function encodeOpen(reply: ReplyBuffer, open: OpenReply): number {
  reply.open(OUT_HEADER_BYTES, open);
  return OUT_HEADER_BYTES + OPEN_OUT_BYTES;
}

/** A count of bytes in 32 bits (struct fuse_write_out). */
function encodeCount(reply: ReplyBuffer, count: number): number {
  reply.uint32(OUT_HEADER_BYTES, count);
  reply.uint32(OUT_HEADER_BYTES + 4, 0);
  return OUT_HEADER_BYTES + 8;
}

function encodeUint64(reply: ReplyBuffer, value: bigint): number {
  reply.uint64(OUT_HEADER_BYTES, value);
  return OUT_HEADER_BYTES + 8;
}

function checkCount(what: string, count: number, request: Request): void {
  if (!(count >= 0 && count <= request.limitBytes)) throw new RangeError(`${what} of ${count} bytes, ${request.limitBytes} were asked for`);
}

/** struct fuse_copy_file_range_in, for both of its requests. */
function runCopyFileRange(limitBytes: bigint | undefined): Operation<bigint>['run'] {
  return (handlers, request, message) => {
    message.require(56);
    const length = message.uint64(40);
    return handlers.copyFileRange(
      request,
      message.nodeId,
      message.safeUint64(0),
      message.uint64(8),
      message.safeUint64(16),
      message.safeUint64(24),
      message.uint64(32),
      limitBytes === undefined || length < limitBytes ? length : limitBytes,
      message.uint64(48),
    );
  };
}

function isDataOnly(message: Message): boolean {
  return (message.uint32(8) & FsyncFlag.FDATASYNC) !== 0;
}

export const fileOperations: readonly (readonly [number, Operation])[] = [
  [
    Opcode.OPEN,
    operation({
      handler: 'open',
      run: (handlers, request, message) => handlers.open(request, message.nodeId, message.uint32(0), message.uint32(4)),
      encode: encodeOpen,
    }),
  ],
  [
    Opcode.READ,
    operation<number | Uint8Array>({
      handler: 'read',
      run(handlers, request, message, reply) {
        message.require(40);
        const size = message.uint32(16);
        if (size > reply.bodyCapacityBytes) throw new MessageError(`READ of ${size} bytes`, EINVAL);
        request.limitBytes = size;
        const data = reply.bytes.subarray(OUT_HEADER_BYTES, OUT_HEADER_BYTES + size);
        return handlers.read(request, message.nodeId, message.safeUint64(0), message.uint64(8), size, data);
      },
      encode(reply, result, request) {
        const count = typeof result === 'number' ? result : result.length;
        checkCount('READ', count, request);
        return typeof result === 'number' ? OUT_HEADER_BYTES + count : reply.attach(OUT_HEADER_BYTES, result);
      },
      sent(result) {
        if (typeof result !== 'number') releaseBuffer(result);
      },
    }),
  ],
  [
    Opcode.WRITE,
    operation({
      handler: 'write',
      run(handlers, request, message) {
        const size = message.uint32(16);
        const data = message.take(40, size);
        request.limitBytes = size;
        return handlers.write(request, message.nodeId, message.safeUint64(0), message.uint64(8), data, message.uint32(20));
      },
      encode(reply, count, request) {
        checkCount('WRITE', count, request);
        return encodeCount(reply, count);
      },
    }),
  ],
  [
    Opcode.FLUSH,
    operation({
      handler: 'flush',
      run: (handlers, request, message) => handlers.flush(request, message.nodeId, message.safeUint64(0), message.uint64(16)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.RELEASE,
    operation({
      handler: 'release',
      run: (handlers, _request, message) =>
        handlers.release(message.nodeId, message.safeUint64(0), message.uint32(8), message.uint32(12), message.uint64(16)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.FSYNC,
    operation({
      handler: 'fsync',
      run: (handlers, request, message) => handlers.fsync(request, message.nodeId, message.safeUint64(0), isDataOnly(message)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.FSYNCDIR,
    operation({
      handler: 'fsyncdir',
      run: (handlers, request, message) => handlers.fsyncdir(request, message.nodeId, message.safeUint64(0), isDataOnly(message)),
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.FALLOCATE,
    operation({
      handler: 'fallocate',
      run(handlers, request, message) {
        const handle = message.safeUint64(0);
        return handlers.fallocate(request, message.nodeId, handle, message.uint32(24), message.uint64(8), message.uint64(16));
      },
      encode: encodeNothing,
    }),
  ],
  [
    Opcode.LSEEK,
    operation({
      handler: 'lseek',
      run: (handlers, request, message) =>
        handlers.lseek(request, message.nodeId, message.safeUint64(0), message.uint64(8), message.uint32(16)),
      encode: encodeUint64,
    }),
  ],
  [
    Opcode.COPY_FILE_RANGE,
    operation({
      handler: 'copyFileRange',
      run: runCopyFileRange(MAX_COPY_32_BYTES),
      encode: (reply, count) => encodeCount(reply, Number(count)),
    }),
  ],
  [
    Opcode.COPY_FILE_RANGE_64,
    operation({
      handler: 'copyFileRange',
      run: runCopyFileRange(undefined),
      encode: encodeUint64,
    }),
  ],
  [
    Opcode.IOCTL,
    operation({
      handler: 'ioctl',
      run(handlers, request, message) {
        const input = message.take(32, message.uint32(24));
        const outSize = message.uint32(28);
        request.limitBytes = outSize;
        const handle = message.safeUint64(0);
        return handlers.ioctl(request, message.nodeId, handle, message.uint32(8), message.uint32(12), message.uint64(16), input, outSize);
      },
      encode(reply, { result, output }, request) {
        checkCount('IOCTL', output.length, request);
        reply.uint32(OUT_HEADER_BYTES, result);
        reply.uint32(OUT_HEADER_BYTES + 4, 0);
        reply.uint64(OUT_HEADER_BYTES + 8, 0n);
        return reply.payload(OUT_HEADER_BYTES + IOCTL_OUT_BYTES, output);
      },
    }),
  ],
];
