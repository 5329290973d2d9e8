/**
 * How one type of request becomes a call of a handler and its result a reply. `run` decodes and calls; `encode` writes the body of the
 * reply behind the header and returns the length of the whole. Both may throw: MessageError for a request that is malformed, anything else
 * for a handler's failure.
 */
import type { Handlers } from '../handlers.ts';
import type { Message } from '../message.ts';
import { OUT_HEADER_BYTES } from '../abi/protocol.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';
import type { Request } from '../request.ts';

export interface Operation<Result = unknown> {
  /** The handler without which the request is refused with ENOSYS. */
  readonly handler: keyof Handlers;
  /** `handlers` is only known to have the one named by `handler`. */
  run(handlers: Required<Handlers>, request: Request, message: Message, reply: ReplyBuffer): Result | Promise<Result>;
  encode(reply: ReplyBuffer, result: Result, request: Request): number;
  /** Lets go of what the reply was made of. */
  sent?(result: Result): void;
}

/** Checks `run` against `encode`, and forgets the type of what goes between them. */
export function operation<Result>(definition: Operation<Result>): Operation {
  return definition;
}

/** A reply without a body. */
export function encodeNothing(): number {
  return OUT_HEADER_BYTES;
}
