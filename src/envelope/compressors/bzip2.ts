/**
 * BZIP2: one .bz2 stream, by libbz2 1.0 (https://sourceware.org/bzip2/manual/manual.html; the offsets below are those of 64-bit Linux).
 * libbz2 belongs to every Debian (dpkg needs it).
 */
import { addressOf } from '../../util/address-of.ts';
import { DecompressionError } from './compressor.ts';
import type { Compressor } from './compressor.ts';
import { GrowingOutput } from './growing-output.ts';
import { lazy, loadLibrary } from './shared-library.ts';
import type { NativeFunction } from './shared-library.ts';

const ONE_BYTE = new Uint8Array(1);

const BZ_OK = 0;
const BZ_STREAM_END = 4;
const ERROR_TEXTS: Readonly<Record<number, string>> = { '-3': 'out of memory', '-4': 'bad bzip2 data', '-5': 'no bzip2 stream' };

/** bz_stream: next_in, avail_in, total_in (two halves), next_out, avail_out, total_out, then what is the library's own. */
const STREAM_BYTES = 80;
const NEXT_IN = 0;
const AVAIL_IN = 8;
const NEXT_OUT = 24;
const AVAIL_OUT = 32;

const libbz2 = lazy(() => {
  const library = loadLibrary('libbz2.so.1.0', 'libbz2-1.0');
  return {
    compress: library.func(
      'int BZ2_bzBuffToBuffCompress(void *dest, void *destLen, void *source, uint32_t sourceLen, int blockSize100k, int verbosity, int workFactor)',
    ) as NativeFunction,
    decompressInit: library.func('int BZ2_bzDecompressInit(void *stream, int verbosity, int small)') as NativeFunction,
    decompress: library.func('int BZ2_bzDecompress(void *stream)') as NativeFunction,
    decompressEnd: library.func('int BZ2_bzDecompressEnd(void *stream)') as NativeFunction,
  };
});

export const bzip2: Compressor = {
  compress(plain, level) {
    // The manual's bound for incompressible data.
    const output = Buffer.allocUnsafeSlow(plain.byteLength + Math.ceil(plain.byteLength / 100) + 600);
    const outputLength = new Uint32Array([output.byteLength]);
    // koffi passes an empty array as NULL, which libbz2 refuses.
    const source = plain.byteLength === 0 ? ONE_BYTE : plain;
    const status = libbz2().compress(output, outputLength, source, plain.byteLength, level, 0, 0);
    if (status !== BZ_OK) throw new Error(`libbz2 cannot compress: ${describe(status)}`);
    return output.subarray(0, outputLength[0]);
  },

  decompress(packed, limits) {
    const library = libbz2();
    const stream = Buffer.alloc(STREAM_BYTES);
    const output = new GrowingOutput(limits, packed.byteLength);
    const started = library.decompressInit(stream, 0, 0);
    if (started !== BZ_OK) throw new Error(`libbz2 cannot start: ${describe(started)}`);
    try {
      stream.writeBigUInt64LE(addressOf(packed), NEXT_IN);
      stream.writeUInt32LE(packed.byteLength, AVAIL_IN);
      for (;;) {
        const free = output.free();
        stream.writeBigUInt64LE(addressOf(free), NEXT_OUT);
        stream.writeUInt32LE(free.byteLength, AVAIL_OUT);
        const status = library.decompress(stream);
        output.lengthBytes += free.byteLength - stream.readUInt32LE(AVAIL_OUT);
        if (status === BZ_STREAM_END) break;
        if (status !== BZ_OK) throw new DecompressionError(describe(status));
        // All was read and there was room for more: the end is missing.
        if (stream.readUInt32LE(AVAIL_IN) === 0 && stream.readUInt32LE(AVAIL_OUT) > 0) {
          throw new DecompressionError('the bzip2 stream is truncated');
        }
      }
      if (stream.readUInt32LE(AVAIL_IN) !== 0) throw new DecompressionError('something follows the bzip2 stream');
      return output.finish();
    } finally {
      library.decompressEnd(stream);
    }
  },
};

function describe(status: number | bigint): string {
  return ERROR_TEXTS[Number(status)] ?? `status ${status}`;
}
