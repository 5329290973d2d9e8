/**
 * Memory that requests are received into. Normally each request overwrites the one before; `pin` keeps the current one, so that the next
 * lies behind it. When a buffer has no room left a new one is begun, and the old one goes when its last request was let go.
 */
import { ReceiveBuffer } from './message.ts';

/** A buffer holds so many of the largest requests. */
const MESSAGES_PER_BUFFER = 4;

export class ReceiveArena {
  readonly #maxMessageBytes: number;
  readonly #sizeBytes: number;
  #buffer: ReceiveBuffer;
  #offset = 0;
  #place: Uint8Array;
  #pinnedBytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#sizeBytes = align(maxMessageBytes * MESSAGES_PER_BUFFER);
    this.#buffer = new ReceiveBuffer(this.#sizeBytes);
    this.#place = this.#buffer.bytes;
  }

  /** Where the next request is to be received: room for the largest. */
  get place(): Uint8Array {
    return this.#place;
  }

  get buffer(): ReceiveBuffer {
    return this.#buffer;
  }

  /** Offset of `place` in `buffer`, a multiple of 8. */
  get offset(): number {
    return this.#offset;
  }

  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Keeps the request of `length` bytes at `place`. Returns the number to give to `unpin`. */
  pin(length: number): number {
    const bytes = align(length);
    this.#pinnedBytes += bytes;
    if (this.#offset + bytes + this.#maxMessageBytes <= this.#sizeBytes) {
      this.#moveTo(this.#offset + bytes);
    } else {
      this.#buffer = new ReceiveBuffer(this.#sizeBytes);
      this.#moveTo(0);
    }
    return bytes;
  }

  unpin(bytes: number): void {
    this.#pinnedBytes -= bytes;
    if (this.#pinnedBytes === 0 && this.#offset > 0) this.#moveTo(0);
  }

  #moveTo(offset: number): void {
    this.#offset = offset;
    this.#place = this.#buffer.bytes.subarray(offset);
  }
}

function align(sizeBytes: number): number {
  return (sizeBytes + 7) & ~7;
}
