import { tooLarge } from './compressor.ts';
import type { Compressor } from './compressor.ts';

export const none: Compressor = {
  compress: (plain) => plain,
  decompress(packed, limits) {
    if (packed.byteLength > limits.maxSizeBytes) throw tooLarge(limits);
    return packed;
  },
};
