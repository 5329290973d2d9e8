/** The entries of the outer metadata that both envelopes of revision 26 have (S3QL format 2.5), checked and typed. */
import { BasicMappingError, parseBasicMapping, writeBasicMapping } from '../util/basic-mapping.ts';
import type { MetadataValue, ObjectMetadata } from '../backends/object-metadata.ts';
import type { CompressionAlgorithm } from './compression-spec.ts';
import { compressors } from './compressors/compressors.ts';
import { DecompressionError } from './compressors/compressor.ts';
import { IntegrityError } from './integrity-error.ts';

export const FORMAT_VERSION = 2;

/** More than any block size in use; callers who know the block size pass that. */
export const DEFAULT_MAX_PLAINTEXT_BYTES: number = 1024 * 1024 * 1024;

const COMPRESSION_NAMES: Readonly<Record<CompressionAlgorithm, string>> = { none: 'None', zlib: 'ZLIB', bzip2: 'BZIP2', lzma: 'LZMA' };
const ALGORITHMS: ReadonlyMap<MetadataValue | undefined, CompressionAlgorithm> = new Map(
  Object.entries(COMPRESSION_NAMES).map(([algorithm, name]) => [name, algorithm as CompressionAlgorithm]),
);

export function compressionName(algorithm: CompressionAlgorithm): string {
  return COMPRESSION_NAMES[algorithm];
}

/** The inner metadata: how large the plaintext is. */
export function innerMetadata(plaintextBytes: number): Uint8Array<ArrayBuffer> {
  return writeBasicMapping({ __size: plaintextBytes });
}

/** Reads outer metadata that came from a store; every getter throws IntegrityError for what is missing or wrong. */
export class OuterMetadata {
  readonly #key: string;
  readonly #metadata: ObjectMetadata;

  constructor(key: string, metadata: ObjectMetadata) {
    this.#key = key;
    this.#metadata = metadata;
  }

  requireVersion(): void {
    const version = this.#metadata['format_version'];
    if (version !== FORMAT_VERSION) throw this.error(`format version ${show(version)} instead of ${FORMAT_VERSION}`);
  }

  requireEncryption(expected: string): void {
    const actual = this.#metadata['encryption'];
    if (actual === expected) return;
    if (actual === 'None') throw this.error('it is not encrypted, but everything in this file system is');
    if (expected === 'None') throw this.error(`it is encrypted (${show(actual)}), but nothing in this file system is`);
    throw this.error(`encryption ${show(actual)} instead of ${expected}`);
  }

  bytes(name: string): Uint8Array {
    const value = this.#metadata[name];
    if (!(value instanceof Uint8Array)) throw this.error(`no ${name}`);
    return value;
  }

  objectId(): MetadataValue | undefined {
    return this.#metadata['object_id'];
  }

  algorithm(): CompressionAlgorithm {
    const name = this.#metadata['compression'];
    const algorithm = ALGORITHMS.get(name);
    if (algorithm === undefined) throw this.error(`unknown compression ${show(name)}`);
    return algorithm;
  }

  /** The payload without what old revisions put before it. */
  skipOffset(payload: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const offset = this.#metadata['payload_offset'] ?? 0;
    if (typeof offset !== 'number' || !Number.isInteger(offset) || offset < 0 || offset > payload.byteLength) {
      throw this.error(`payload offset ${show(offset)} in ${payload.byteLength} bytes`);
    }
    return payload.subarray(offset);
  }

  /** @param inner the inner metadata, decrypted */
  decompress(inner: Uint8Array, packed: Uint8Array<ArrayBuffer>, maxSizeBytes: number): Uint8Array<ArrayBuffer> {
    const sizeHintBytes = this.#sizeHint(inner);
    try {
      return compressors[this.algorithm()].decompress(packed, { maxSizeBytes, sizeHintBytes });
    } catch (cause) {
      if (cause instanceof DecompressionError) throw new IntegrityError(this.#key, cause.message, { cause });
      throw cause;
    }
  }

  error(reason: string, cause?: unknown): IntegrityError {
    return new IntegrityError(this.#key, reason, cause === undefined ? undefined : { cause });
  }

  #sizeHint(inner: Uint8Array): number | undefined {
    try {
      const size = parseBasicMapping(inner)['__size'];
      return typeof size === 'number' && size >= 0 ? size : undefined;
    } catch (cause) {
      if (cause instanceof BasicMappingError) throw this.error(`its inner metadata cannot be read (${cause.message})`, cause);
      throw cause;
    }
  }
}

function show(value: MetadataValue | undefined): string {
  return value instanceof Uint8Array ? 'bytes' : (JSON.stringify(value) ?? 'missing');
}
