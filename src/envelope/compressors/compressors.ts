import type { CompressionAlgorithm } from '../compression-spec.ts';
import { bzip2 } from './bzip2.ts';
import type { Compressor } from './compressor.ts';
import { lzma } from './lzma.ts';
import { none } from './none.ts';
import { zlib } from './zlib.ts';

/** The compressors of revision 26. */
export const compressors: Readonly<Record<CompressionAlgorithm, Compressor>> = { none, zlib, bzip2, lzma };
