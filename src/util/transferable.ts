import { isMarkedAsUntransferable } from 'node:worker_threads';

/** Memory beyond the view that goes along when its buffer is transferred: at most as much as the view itself. */
const MAX_WASTE = 2;

/** A view of the bytes whose buffer may be transferred to another thread: the same where possible, else a copy. */
export function transferable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  const own = buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer) && buffer.byteLength <= MAX_WASTE * byteLength;
  return own ? new Uint8Array(buffer, bytes.byteOffset, byteLength) : new Uint8Array(bytes);
}
