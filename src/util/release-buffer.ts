import { isMarkedAsUntransferable } from 'node:worker_threads';

/** Less is not worth a call. */
const MIN_BYTES = 16 * 1024;

/**
 * Frees the memory behind bytes that nobody will look at any more, now. The collector sees a buffer as a small object and lets each thread gather
 * some 64 MiB of dead ones before it looks for them. All views of the buffer are empty afterwards; what belongs to Node's pool stays.
 */
export function releaseBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= MIN_BYTES && !isMarkedAsUntransferable(buffer)) buffer.transfer(0);
}
