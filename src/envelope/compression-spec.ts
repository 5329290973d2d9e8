/** Which compressor new objects get, e.g. `lzma-6` (S3QL behaviour 1.1, `--compress`). */
import { UserError } from '../util/errors.ts';

export type CompressionAlgorithm = 'none' | 'zlib' | 'bzip2' | 'lzma';

export interface CompressionSpec {
  readonly algorithm: CompressionAlgorithm;
  /** 0 to 9 (bzip2: 1 to 9); ignored by `none`. */
  readonly level: number;
}

const DEFAULT_LEVEL = 6;
const ALGORITHMS: ReadonlySet<string> = new Set<CompressionAlgorithm>(['none', 'zlib', 'bzip2', 'lzma']);

/** Reads `algorithm` or `algorithm-level`; the level is 6 if not given. @throws UserError with exit code 2 */
export function parseCompressionSpec(text: string): CompressionSpec {
  const [, algorithm = '', level] = /^([a-z0-9]+)(?:-(\d+))?$/.exec(text) ?? [];
  if (!ALGORITHMS.has(algorithm)) {
    throw new UserError(`Unknown compression "${text}": use none, zlib, bzip2 or lzma, with a level if you like (lzma-6).`, 2);
  }
  const spec: CompressionSpec = {
    algorithm: algorithm as CompressionAlgorithm,
    level: level === undefined ? DEFAULT_LEVEL : Number(level),
  };
  const lowest = spec.algorithm === 'bzip2' ? 1 : 0;
  if (spec.level < lowest || spec.level > 9) throw new UserError(`Compression level of "${text}" must be between ${lowest} and 9.`, 2);
  return spec;
}

/** The text that parseCompressionSpec reads back. */
export function formatCompressionSpec(spec: CompressionSpec): string {
  return spec.algorithm === 'none' ? 'none' : `${spec.algorithm}-${spec.level}`;
}
