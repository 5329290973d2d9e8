/**
 * The transport that is /dev/fuse: a non-blocking descriptor, polled by the event loop.
 *
 * No thread waits for requests: neither one of libuv's pool, which jobs would keep from it, nor one of its own, which would keep the
 * process from exiting. Reads and replies are system calls without waiting; only notifications, which may have to wait, go to the pool.
 */
import { closeSync, write, writevSync } from 'node:fs';
import { constants } from 'node:os';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { SystemCallError } from '../util/system-call-error.ts';
import { ioctlSync, readSync, writeSync } from '../util/libc.ts';
import { BusyPolling } from './busy-polling.ts';
import type { Transport } from './transport.ts';

const { ENODEV } = constants.errno;
const writeAsync = promisify(write);

export class DeviceTransport implements Transport {
  readonly #fd: number;
  #poll: { close(): void } | undefined;
  #onReadable: (() => boolean) | undefined;
  #isTickPending = false;
  readonly #busyPolling = new BusyPolling();
  #isClosed = false;
  #notificationsUnderWay = 0;

  /** Takes over the descriptor, which must be in non-blocking mode. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  receive(buffer: Uint8Array): number {
    if (this.#isClosed) throw new SystemCallError('read', ENODEV);
    try {
      return Math.max(readSync(this.#fd, buffer), 0);
    } catch (error) {
      // The request was withdrawn while it was being read.
      if (error instanceof SystemCallError && error.code === 'ENOENT') return 0;
      throw error;
    }
  }

  send(message: Uint8Array, lengthBytes: number, tail: Uint8Array | undefined): void {
    if (this.#isClosed) throw new SystemCallError('write', ENODEV);
    if (tail === undefined) writeSync(this.#fd, message, lengthBytes);
    else writevSync(this.#fd, [message.subarray(0, lengthBytes), tail]);
  }

  async notify(message: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new SystemCallError('write', ENODEV);
    this.#notificationsUnderWay += 1;
    try {
      await writeAsync(this.#fd, message);
    } finally {
      this.#notificationsUnderWay -= 1;
      if (this.#isClosed && this.#notificationsUnderWay === 0) closeSync(this.#fd);
    }
  }

  /** An ioctl(2) on the device; returns its result. */
  ioctl(request: number, argument: NodeJS.ArrayBufferView): number {
    if (this.#isClosed) throw new SystemCallError('ioctl', ENODEV);
    return ioctlSync(this.#fd, request, argument);
  }

  start(onReadable: () => boolean): void {
    this.#onReadable = onReadable;
    this.resume();
  }

  pause(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  resume(): void {
    if (this.#isClosed || this.#poll !== undefined) return;
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, () => this.#turn());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pause();
    // While a notification is under way its thread may be about to use the descriptor's number.
    if (this.#notificationsUnderWay === 0) closeSync(this.#fd);
  }

  #turn(): void {
    try {
      this.#busyPolling.woken(performance.now());
      if (this.#onReadable?.()) {
        this.#busyPolling.served(performance.now());
        this.#tick();
      }
    } catch (error) {
      // Nothing can be thrown into the poll's native caller.
      setImmediate(() => {
        throw error;
      });
    }
  }

  /**
   * Has the event loop turn at once instead of sleeping. It must after every call of the poll's, which does not run the promises that
   * handlers settled, and it does again as long as the next request is worth staying awake for.
   */
  #tick(): void {
    if (this.#isTickPending) return;
    this.#isTickPending = true;
    setImmediate(() => {
      this.#isTickPending = false;
      if (this.#poll !== undefined && this.#busyPolling.isAwake(performance.now())) this.#tick();
    });
  }
}
