/** ZLIB: RFC 1950, by node:zlib. */
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { DecompressionError, tooLarge } from './compressor.ts';
import type { Compressor, DecompressionLimits } from './compressor.ts';

/** Output is collected in pieces of this size; one piece holds all of an ordinary block and saves a copy. */
const MAX_CHUNK_BYTES = 16 * 1024 * 1024;

export const zlib: Compressor = {
  compress(plain, level) {
    // zlib's own bound for the worst case, rounded up (deflateBound).
    const boundBytes = plain.byteLength + (plain.byteLength >> 10) + 128;
    return deflateSync(plain, { level, chunkSize: Math.min(boundBytes, MAX_CHUNK_BYTES) });
  },

  decompress(packed, limits) {
    const { buffer, consumedBytes } = inflate(packed, limits);
    if (consumedBytes !== packed.byteLength) throw new DecompressionError('something follows the zlib stream');
    return buffer;
  },
};

/** What inflateSync returns with `info: true`; Node's types do not know it. */
interface InflateResult {
  readonly buffer: Buffer<ArrayBuffer>;
  readonly engine: { readonly bytesWritten: number };
}

function inflate(packed: Uint8Array, limits: DecompressionLimits): { buffer: Uint8Array<ArrayBuffer>; consumedBytes: number } {
  const expectedBytes = Math.min(limits.sizeHintBytes ?? packed.byteLength * 4, limits.maxSizeBytes, MAX_CHUNK_BYTES);
  try {
    const { buffer, engine } = inflateSync(packed, {
      info: true,
      maxOutputLength: Math.max(limits.maxSizeBytes, 1),
      chunkSize: Math.max(expectedBytes, constants.Z_MIN_CHUNK),
    }) as unknown as InflateResult;
    if (buffer.byteLength > limits.maxSizeBytes) throw tooLarge(limits);
    return { buffer, consumedBytes: engine.bytesWritten };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limits);
    if (cause instanceof DecompressionError) throw cause;
    throw new DecompressionError(`bad zlib data (${(cause as Error).message})`, { cause });
  }
}
