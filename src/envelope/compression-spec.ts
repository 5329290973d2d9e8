/** Which compressor new objects get, e.g. `lzma-6` (reference: S3QL behaviour 1.1, `--compress`). */
export type CompressionAlgorithm = 'none' | 'zlib' | 'bzip2' | 'lzma';

export interface CompressionSpec {
  readonly algorithm: CompressionAlgorithm;
  /** 0 to 9 (bzip2: 1 to 9); ignored by `none`. */
  readonly level: number;
}
