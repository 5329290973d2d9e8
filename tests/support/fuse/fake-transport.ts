/** A transport without a kernel: requests are put in, replies are collected. */
import type { Transport } from '../../../src/fuse/transport.ts';
import { SystemCallError } from '../../../src/util/system-call-error.ts';

export interface Reply {
  readonly lengthBytes: number;
  /** As it is on the wire: 0 or negative; a code for notifications. */
  readonly error: number;
  readonly unique: bigint;
  readonly body: Buffer<ArrayBuffer>;
}

function decode(message: Buffer<ArrayBuffer>): Reply {
  return {
    lengthBytes: message.readUInt32LE(0),
    error: message.readInt32LE(4),
    unique: message.readBigUInt64LE(8),
    body: message.subarray(16),
  };
}

export class FakeTransport implements Transport {
  readonly replies: Reply[] = [];
  readonly notifications: Reply[] = [];
  readonly #waiting: (Uint8Array | number)[] = [];
  #onReadable: () => boolean = () => false;
  isPaused = false;
  isClosed = false;
  /** Called for each reply; may throw what write(2) would fail with. */
  onSend: (reply: Reply) => void = () => {};
  onNotify: (notification: Reply) => Promise<void> = () => Promise.resolve();

  /** Has the session receive these requests, in one turn of the event loop. */
  deliver(...requests: readonly Uint8Array[]): void {
    this.#waiting.push(...requests);
    this.turn();
  }

  /** Delivers one request and returns its reply; throws unless there is exactly one. */
  ask(request: Uint8Array): Reply {
    const before = this.replies.length;
    this.deliver(request);
    const [reply, ...others] = this.replies.slice(before);
    if (reply === undefined || others.length > 0) throw new Error(`${others.length + (reply ? 1 : 0)} replies`);
    return reply;
  }

  /** Reading fails with this errno from now on. */
  fail(errno: number): void {
    this.#waiting.push(errno);
    this.turn();
  }

  /** Requests that the session has not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  turn(): void {
    while (!this.isPaused && !this.isClosed && this.#onReadable());
  }

  receive(buffer: Uint8Array): number {
    const [next] = this.#waiting;
    if (next === undefined) return 0;
    if (typeof next === 'number') throw new SystemCallError('read', next);
    this.#waiting.shift();
    buffer.set(next);
    return next.length;
  }

  send(message: Uint8Array, lengthBytes: number, tail: Uint8Array | undefined): void {
    const reply = decode(Buffer.concat([message.subarray(0, lengthBytes), tail ?? new Uint8Array(0)]));
    this.onSend(reply);
    this.replies.push(reply);
  }

  async notify(message: Uint8Array): Promise<void> {
    const notification = decode(Buffer.from(message));
    this.notifications.push(notification);
    await this.onNotify(notification);
  }

  start(onReadable: () => boolean): void {
    this.#onReadable = onReadable;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    setImmediate(() => this.turn());
  }

  close(): void {
    this.isClosed = true;
  }
}
