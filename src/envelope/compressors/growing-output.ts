import { tooLarge } from './compressor.ts';
import type { DecompressionLimits } from './compressor.ts';

const SMALLEST_BYTES = 4096;

/** An output buffer for a decoder that does not know beforehand how much will come. Grows to one byte more than the limit allows, to notice. */
export class GrowingOutput {
  readonly #limits: DecompressionLimits;
  #buffer: Buffer<ArrayBuffer>;
  /** How much of the buffer holds output. */
  lengthBytes = 0;

  constructor(limits: DecompressionLimits, packedBytes: number) {
    this.#limits = limits;
    const expectedBytes = limits.sizeHintBytes ?? packedBytes * 4;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(expectedBytes, SMALLEST_BYTES), limits.maxSizeBytes) + 1);
  }

  /** Where the next output goes; never empty. @throws DecompressionError if the limit is passed */
  free(): Buffer<ArrayBuffer> {
    if (this.lengthBytes > this.#limits.maxSizeBytes) throw tooLarge(this.#limits);
    if (this.lengthBytes === this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#buffer.byteLength * 2, this.#limits.maxSizeBytes + 1));
      this.#buffer.copy(larger, 0, 0, this.lengthBytes);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.lengthBytes);
  }

  /** All output. @throws DecompressionError if the limit is passed */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.lengthBytes > this.#limits.maxSizeBytes) throw tooLarge(this.#limits);
    return this.#buffer.subarray(0, this.lengthBytes);
  }
}
