/** Sends replies through the transport, one for each request, whatever goes wrong on the way. */
import { constants } from 'node:os';
import { opcodeName } from './abi/opcodes.ts';
import { OUT_HEADER_BYTES } from './abi/protocol.ts';
import { MessageError } from './message-error.ts';
import { ReplyBuffer } from './reply-buffer.ts';
import type { Transport } from './transport.ts';

const { EIO } = constants.errno;
/** The kernel takes no larger errno in a reply. */
const MAX_ERRNO = 511;

/** What identifies the request that is replied to. */
export interface Replied {
  readonly opcode: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
}

export class Replier {
  readonly #transport: Transport;
  readonly #onError: (error: unknown, opcodeName: string) => void;
  readonly #errorReply = new ReplyBuffer(OUT_HEADER_BYTES);

  constructor(transport: Transport, onError: (error: unknown, opcodeName: string) => void) {
    this.#transport = transport;
    this.#onError = onError;
  }

  /** Sends the reply whose body lies in `reply`; `lengthBytes` counts header and attached bytes too. */
  send(request: Replied, reply: ReplyBuffer, lengthBytes: number): void {
    const { attached } = reply;
    reply.header(lengthBytes, 0, request.uniqueLow, request.uniqueHigh);
    try {
      this.#transport.send(reply.bytes, lengthBytes - (attached?.length ?? 0), attached);
    } catch (error) {
      if (isGone(error)) return;
      // The kernel refused the reply, and still waits for one.
      this.sendErrno(request, EIO);
      this.#onError(error, opcodeName(request.opcode));
    }
  }

  /** Replies with an error: the `errno` it has, EIO and a report if it has none. */
  sendError(request: Replied, error: unknown): void {
    const errno = errnoOf(error);
    this.sendErrno(request, errno ?? EIO);
    if (errno === undefined || (error instanceof MessageError && errno === EIO)) this.#onError(error, opcodeName(request.opcode));
  }

  /** Replies with a positive errno. */
  sendErrno(request: Replied, errno: number): void {
    const reply = this.#errorReply;
    reply.header(OUT_HEADER_BYTES, errno, request.uniqueLow, request.uniqueHigh);
    try {
      this.#transport.send(reply.bytes, OUT_HEADER_BYTES, undefined);
    } catch (error) {
      if (!isGone(error)) this.#onError(error, opcodeName(request.opcode));
    }
  }
}

function errnoOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return undefined;
  const { errno } = error;
  return typeof errno === 'number' && Number.isInteger(errno) && errno > 0 && errno <= MAX_ERRNO ? errno : undefined;
}

/** The request is no longer waited for (ENOENT), or nothing is: unmounted or aborted. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ECONNABORTED';
}
