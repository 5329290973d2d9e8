/**
 * LZMA: an .xz stream with one LZMA2 filter and CRC64, by liblzma 5 (https://tukaani.org/xz/, headers lzma/base.h and
 * lzma/container.h; the offsets below are those of 64-bit Linux).
 *
 * Why not @napi-rs/lzma: its one-shot functions always use preset 6, it has no limits for decoding, and npm leaves its binary away where
 * the machine's own Node is older than ours. liblzma belongs to every Debian (dpkg needs it).
 *
 * The dictionary is cut to the size of the input. That changes nothing for the reader and not one byte of the compressed data, but the
 * encoder need not allocate and clear up to 674 MB per object: 20 kB at level 6 take 2.8 ms instead of 6.1, at level 9 2.7 instead of 20.9.
 */
import { addressOf } from '../../util/address-of.ts';
import { DecompressionError } from './compressor.ts';
import type { Compressor } from './compressor.ts';
import { GrowingOutput } from './growing-output.ts';
import { lazy, loadLibrary } from './shared-library.ts';
import type { NativeFunction } from './shared-library.ts';

const LZMA_OK = 0;
const LZMA_STREAM_END = 1;
const LZMA_FINISH = 3;
const LZMA_CHECK_CRC64 = 4;
const LZMA_FILTER_LZMA2 = 0x21n;
const LZMA_VLI_UNKNOWN = 0xffff_ffff_ffff_ffffn;

const ERROR_TEXTS: Readonly<Record<number, string>> = {
  5: 'out of memory',
  6: 'it wants more memory than any S3QL object needs',
  7: 'no xz stream',
  8: 'unsupported options',
  9: 'bad xz data',
  10: 'the xz stream is truncated',
};

/** Level 9 has a dictionary of 64 MiB and needs 65 MiB; more is an attack on our memory. */
const DECODER_MEMORY_LIMIT_BYTES = 128 * 1024 * 1024;
const SMALLEST_DICTIONARY_BYTES = 4096;
/** Larger than lzma_options_lzma of any 5.x; dict_size, a uint32, is its first field. */
const OPTIONS_BYTES = 256;

/** lzma_stream: next_in, avail_in, total_in, next_out, avail_out, total_out, then what is the library's own. */
const STREAM_BYTES = 136;
const NEXT_IN = 0;
const AVAIL_IN = 8;
const NEXT_OUT = 24;
const AVAIL_OUT = 32;

const liblzma = lazy(() => {
  const library = loadLibrary('liblzma.so.5', 'liblzma5');
  return {
    preset: library.func('bool lzma_lzma_preset(void *options, uint32_t preset)') as (options: Uint8Array, preset: number) => boolean,
    bound: library.func('size_t lzma_stream_buffer_bound(size_t)') as NativeFunction,
    encode: library.func(
      'int lzma_stream_buffer_encode(void *filters, int check, void *allocator, void *in, size_t in_size, void *out, void *out_pos, size_t out_size)',
    ) as NativeFunction,
    decoder: library.func('int lzma_stream_decoder(void *stream, uint64_t memlimit, uint32_t flags)') as NativeFunction,
    code: library.func('int lzma_code(void *stream, int action)') as NativeFunction,
    end: library.func('void lzma_end(void *stream)') as (stream: Uint8Array) => void,
  };
});

export const lzma: Compressor = {
  compress(plain, level) {
    const library = liblzma();
    const options = Buffer.alloc(OPTIONS_BYTES);
    if (library.preset(options, level)) throw new RangeError(`liblzma has no preset ${level}`);
    const neededBytes = 2 ** Math.ceil(Math.log2(Math.max(plain.byteLength, SMALLEST_DICTIONARY_BYTES)));
    options.writeUInt32LE(Math.min(options.readUInt32LE(0), neededBytes), 0);

    const filters = new BigUint64Array([LZMA_FILTER_LZMA2, addressOf(options), LZMA_VLI_UNKNOWN, 0n]);
    const output = Buffer.allocUnsafeSlow(Number(library.bound(plain.byteLength)));
    const outputLength = new BigUint64Array(1);
    const status = library.encode(filters, LZMA_CHECK_CRC64, null, plain, plain.byteLength, output, outputLength, output.byteLength);
    if (status !== LZMA_OK) throw new Error(`liblzma cannot compress: ${describe(status)}`);
    return output.subarray(0, Number(outputLength[0]));
  },

  decompress(packed, limits) {
    const library = liblzma();
    const stream = Buffer.alloc(STREAM_BYTES);
    const output = new GrowingOutput(limits, packed.byteLength);
    const started = library.decoder(stream, DECODER_MEMORY_LIMIT_BYTES, 0);
    if (started !== LZMA_OK) throw new Error(`liblzma cannot start: ${describe(started)}`);
    try {
      stream.writeBigUInt64LE(addressOf(packed), NEXT_IN);
      stream.writeBigUInt64LE(BigInt(packed.byteLength), AVAIL_IN);
      for (;;) {
        const free = output.free();
        stream.writeBigUInt64LE(addressOf(free), NEXT_OUT);
        stream.writeBigUInt64LE(BigInt(free.byteLength), AVAIL_OUT);
        const status = library.code(stream, LZMA_FINISH);
        output.lengthBytes += free.byteLength - Number(stream.readBigUInt64LE(AVAIL_OUT));
        if (status === LZMA_STREAM_END) break;
        if (status !== LZMA_OK) throw new DecompressionError(describe(status));
      }
      if (stream.readBigUInt64LE(AVAIL_IN) !== 0n) throw new DecompressionError('something follows the xz stream');
      return output.finish();
    } finally {
      library.end(stream);
    }
  },
};

function describe(status: number | bigint): string {
  return ERROR_TEXTS[Number(status)] ?? `status ${status}`;
}
