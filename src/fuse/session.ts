/**
 * Serves one connection with the kernel: takes requests from a transport, has handlers answer them, replies.
 *
 * - Single-threaded. A request whose handler returns at once is answered before the next is read; a promise's is answered when it settles.
 * - Every request is answered exactly once, those that need no answer never. Nothing a request holds and nothing a handler throws ends the
 *   session: malformed requests get EINVAL, handlers' errors their `errno` or else EIO and a call of `onError`.
 * - Requests that wait are in `#inFlight` by their `unique`, for INTERRUPT and for the end.
 * - What a waiting handler was given of the receive buffer stays there until it is done: the next requests are read behind it.
 */
import { constants } from 'node:os';
import { Opcode, opcodeName } from './abi/opcodes.ts';
import { OUT_HEADER_BYTES } from './abi/protocol.ts';
import type { Handlers } from './handlers.ts';
import { MessageError } from './message-error.ts';
import { Message } from './message.ts';
import {
  DEFAULT_MAX_WRITE_BYTES,
  checkNegotiationOptions,
  initReplyBytes,
  negotiate,
  receiveSizeBytes,
  type Negotiated,
  type NegotiationOptions,
} from './negotiation.ts';
import type { Operation } from './operations/operation.ts';
import { operationTable } from './operations/table.ts';
import { ReceiveArena } from './receive-arena.ts';
import { Replier } from './replier.ts';
import { ReplyBuffer } from './reply-buffer.ts';
import { InterruptedError, Request, requestKey, type RequestKey } from './request.ts';
import type { Transport } from './transport.ts';

const { EACCES, EAGAIN, EINVAL, EIO, ENOLCK, ENOSYS } = constants.errno;

/** Requests that may wait for their handlers at a time; the rest stays in the kernel. Waiting for a lock does not count. */
export const MAX_IN_FLIGHT = 1024;
/** Bytes of requests that may be kept for waiting handlers: the same, for WRITEs. */
export const MAX_PINNED_BYTES: number = 128 * 1024 * 1024;
/** Clients that may wait for locks at a time; more get ENOLCK. */
export const MAX_WAITING_LOCKS = 16_384;
/** After so many requests in a row the rest of the event loop has its turn. */
const MAX_REQUESTS_PER_TURN = 64;

export interface SessionOptions extends NegotiationOptions {
  /** Told of errors that are nobody's plan: handlers' that have no errno, replies the kernel refused, requests that make no sense. */
  readonly onError: (error: unknown, opcodeName: string) => void;
  /** Only this user and root may ask; others get EACCES (libfuse's allow_root: the mount itself must have allow_other). */
  readonly onlyRootAndUid?: number;
}

/** Requests that are let through from everybody: they concern what somebody who may has opened. */
const allowedToAll: ReadonlySet<number> = new Set([
  Opcode.READ,
  Opcode.WRITE,
  Opcode.FSYNC,
  Opcode.FLUSH,
  Opcode.RELEASE,
  Opcode.READDIR,
  Opcode.READDIRPLUS,
  Opcode.FSYNCDIR,
  Opcode.RELEASEDIR,
]);

/** Requests to which the kernel takes no reply. */
const unanswered: ReadonlySet<number> = new Set([Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.NOTIFY_REPLY]);

export class Session {
  readonly #transport: Transport;
  readonly #handlers: Handlers;
  readonly #options: SessionOptions;
  readonly #message = new Message();
  readonly #arena: ReceiveArena;
  readonly #reply: ReplyBuffer;
  readonly #replier: Replier;
  readonly #inFlight = new Map<RequestKey, Request>();
  readonly #initialized = Promise.withResolvers<Negotiated>();
  readonly #ended = Promise.withResolvers<void>();
  /** By opcode; empty until INIT was answered. */
  #operations: readonly (Operation | undefined)[] = [];
  #request = new Request();
  #waitingLocks = 0;
  #paused = false;
  #isInitialized = false;
  #destroying: Promise<void> | undefined;
  #failure: unknown;
  #isOver = false;

  constructor(transport: Transport, handlers: Handlers, options: SessionOptions) {
    checkNegotiationOptions(options);
    const maxWriteBytes = options.maxWriteBytes ?? DEFAULT_MAX_WRITE_BYTES;
    this.#transport = transport;
    this.#handlers = handlers;
    this.#options = options;
    this.#arena = new ReceiveArena(receiveSizeBytes(maxWriteBytes));
    this.#reply = new ReplyBuffer(OUT_HEADER_BYTES + maxWriteBytes);
    this.#replier = new Replier(transport, options.onError);
    // A failure shows in both; who awaits only one must not be killed by the other.
    this.#initialized.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
  }

  /** Resolves when the kernel's INIT was answered; rejects if there is no common ground, or the session ended before. */
  get initialized(): Promise<Negotiated> {
    return this.#initialized.promise;
  }

  /**
   * Resolves when the file system is unmounted, all handlers are done and `destroy` was called; rejects then if the device failed or
   * the connection was aborted (ECONNABORTED).
   */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Whether the connection with the kernel is gone; handlers may still be at work. */
  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#transport.start(() => this.#drain());
  }

  /** Ends the session from our side: the kernel gives all clients ENOTCONN until somebody unmounts. */
  close(): void {
    this.#end(undefined);
  }

  /** Handles what is there, within limits; returns whether there was anything. */
  #drain(): boolean {
    for (let count = 0; count < MAX_REQUESTS_PER_TURN; count += 1) {
      if (this.#isOver) return true;
      if (this.#isFull()) {
        this.#paused = true;
        this.#transport.pause();
        return true;
      }
      let length: number;
      try {
        length = this.#transport.receive(this.#arena.place);
      } catch (error) {
        this.#end((error as NodeJS.ErrnoException).code === 'ENODEV' ? undefined : error);
        return true;
      }
      if (length === 0) return count > 0;
      this.#handle(length);
    }
    return true;
  }

  #isFull(): boolean {
    return this.#inFlight.size - this.#waitingLocks >= MAX_IN_FLIGHT || this.#arena.pinnedBytes >= MAX_PINNED_BYTES;
  }

  /** Handles the request of `length` bytes at the arena's place. */
  #handle(length: number): void {
    const message = this.#message;
    const isWellFormed = message.reset(this.#arena.buffer, this.#arena.offset, length);
    const isAnswered = message.hasIdentity && !unanswered.has(message.opcode);
    try {
      if (!isWellFormed) throw new MessageError(`Request of ${length} bytes contradicts itself`, EINVAL);
      if (isAnswered) this.#answer(message);
      else this.#take(message);
    } catch (error) {
      if (isAnswered) this.#replier.sendError(message, error);
      else this.#options.onError(error, opcodeName(message.opcode));
    }
  }

  /** Requests that get no reply. */
  #take(message: Message): void {
    switch (message.opcode) {
      case Opcode.FORGET:
        this.#handlers.forget?.(message.nodeId, message.safeUint64(0));
        break;
      case Opcode.BATCH_FORGET:
        this.#batchForget(message);
        break;
      case Opcode.NOTIFY_REPLY:
        // Data that was asked for with a notification we never send.
        break;
      default:
        throw new MessageError('Request without identity', EINVAL);
    }
  }

  #batchForget(message: Message): void {
    const count = message.uint32(0);
    message.require(8 + count * 16);
    for (let index = 0; index < count; index += 1) {
      this.#handlers.forget?.(message.safeUint64(8 + index * 16), message.safeUint64(16 + index * 16));
    }
  }

  /** An unknown request was answered already, or is still to come: EAGAIN has the kernel interrupt again if it still waits. */
  #interrupt(message: Message): void {
    const request = this.#inFlight.get(requestKey(message.uint32(0), message.uint32(4)));
    if (request === undefined) this.#replier.sendErrno(message, EAGAIN);
    else request.interrupt();
  }

  #answer(message: Message): void {
    if (message.opcode === Opcode.INTERRUPT) {
      this.#interrupt(message);
      return;
    }
    if (!this.#isInitialized) {
      if (message.opcode !== Opcode.INIT) throw new MessageError('Request before INIT', EIO);
      this.#init(message);
      return;
    }
    if (message.opcode === Opcode.DESTROY) {
      this.#answerDestroy(message);
      return;
    }
    const operation = this.#operations[message.opcode];
    if (operation === undefined) {
      this.#replier.sendErrno(message, ENOSYS);
      return;
    }
    if (!this.#isAllowed(message)) {
      this.#replier.sendErrno(message, EACCES);
      return;
    }
    if (message.opcode === Opcode.SETLKW && this.#waitingLocks >= MAX_WAITING_LOCKS) {
      this.#replier.sendErrno(message, ENOLCK);
      return;
    }
    const request = this.#request;
    request.begin(message);
    const result = operation.run(this.#handlers as Required<Handlers>, request, message, this.#reply);
    if (result instanceof Promise) this.#wait(operation, request, result);
    else this.#complete(operation, request, result);
  }

  #isAllowed(message: Message): boolean {
    const { onlyRootAndUid } = this.#options;
    return onlyRootAndUid === undefined || message.uid === 0 || message.uid === onlyRootAndUid || allowedToAll.has(message.opcode);
  }

  #complete(operation: Operation, request: Request, result: unknown): void {
    const reply = this.#reply;
    reply.attached = undefined;
    const lengthBytes = operation.encode(reply, result, request);
    this.#replier.send(request, reply, lengthBytes);
    reply.attached = undefined;
    operation.sent?.(result);
  }

  /** Leaves the request to its handler. */
  #wait(operation: Operation, request: Request, result: Promise<unknown>): void {
    this.#request = new Request();
    this.#inFlight.set(request.key, request);
    if (request.opcode === Opcode.SETLKW) this.#waitingLocks += 1;
    if (this.#message.bytesTaken) request.pinnedBytes = this.#arena.pin(this.#message.lengthBytes);
    result
      .then((value) => this.#complete(operation, request, value))
      .catch((error: unknown) => this.#replier.sendError(request, request.isGivenUp(error) ? new InterruptedError() : error))
      .finally(() => this.#settle(request));
  }

  #settle(request: Request): void {
    this.#inFlight.delete(request.key);
    if (request.opcode === Opcode.SETLKW) this.#waitingLocks -= 1;
    if (request.pinnedBytes > 0) this.#arena.unpin(request.pinnedBytes);
    if (this.#isOver) {
      if (this.#inFlight.size === 0) this.#finish();
    } else if (this.#paused && !this.#isFull()) {
      this.#paused = false;
      this.#transport.resume();
    }
  }

  #init(message: Message): void {
    let negotiated: Negotiated | undefined;
    try {
      negotiated = negotiate(message, this.#reply, this.#handlers, this.#options);
    } catch (error) {
      this.#initialized.reject(error);
      throw error;
    }
    if (negotiated !== undefined) {
      this.#operations = operationTable(this.#handlers, negotiated.features.setxattrExtended);
      this.#isInitialized = true;
    }
    this.#reply.attached = undefined;
    this.#replier.send(message, this.#reply, initReplyBytes(negotiated));
    if (negotiated !== undefined) this.#initialized.resolve(negotiated);
  }

  #answerDestroy(message: Message): void {
    const request = new Request();
    request.begin(message);
    this.#destroy().then(
      () => this.#replier.sendErrno(request, 0),
      (error: unknown) => this.#replier.sendError(request, error),
    );
  }

  /** Calls the handler once, whoever asks. */
  #destroy(): Promise<void> {
    this.#destroying ??= (async () => this.#handlers.destroy?.())();
    return this.#destroying;
  }

  #end(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#transport.close();
    this.#initialized.reject(failure ?? new Error('The file system was unmounted before it was initialized'));
    for (const request of this.#inFlight.values()) request.interrupt();
    if (this.#inFlight.size === 0) this.#finish();
  }

  #finish(): void {
    this.#destroy().then(
      () => (this.#failure === undefined ? this.#ended.resolve() : this.#ended.reject(this.#failure)),
      (error: unknown) => this.#ended.reject(error),
    );
  }
}
