/**
 * What the four compressors of revision 26 have in common. All work on whole objects in memory and synchronously: they run in worker
 * threads.
 */

/** Compressed data that cannot be read: damaged, truncated, followed by something, or larger than allowed when unpacked. */
export class DecompressionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DecompressionError';
  }
}

export interface DecompressionLimits {
  /** Refuse to unpack more. */
  readonly maxSizeBytes: number;
  /** What the writer said the size would be; untrusted, only for the first allocation. */
  readonly sizeHintBytes?: number | undefined;
}

export interface Compressor {
  /** One whole stream. The result may be the input itself. */
  compress(plain: Uint8Array<ArrayBuffer>, level: number): Uint8Array<ArrayBuffer>;
  /** Unpacks exactly one whole stream. The result may be the input itself. @throws DecompressionError */
  decompress(packed: Uint8Array<ArrayBuffer>, limits: DecompressionLimits): Uint8Array<ArrayBuffer>;
}

export function tooLarge(limits: DecompressionLimits): DecompressionError {
  return new DecompressionError(`it unpacks to more than ${limits.maxSizeBytes} bytes`);
}
