/**
 * Leaves alone what does not compress: films, photographs, archives, encrypted files. Trying costs ten times as much as all else that is
 * done to a block (zlib-6 manages 45 MB/s of random bytes), and reading it again costs more too. Objects say for themselves how they are
 * compressed, so every reader understands.
 */
import { deflateRawSync } from 'node:zlib';
import type { CompressionSpec } from './compression-spec.ts';

/** Smaller blocks are compressed without asking: the answer would cost as much. */
const MIN_BYTES = 512 * 1024;
const SAMPLE_COUNT = 16;
const SAMPLE_BYTES = 4096;
/** Samples that do not become smaller than this share of themselves speak for the block. One in sixteen that does is enough to compress it. */
const IN_VAIN_SHARE = 0.98;

const NONE: CompressionSpec = { algorithm: 'none', level: 0 };

/** How to compress these bytes: as asked for, or not at all if samples from all over them show that it would be in vain. */
export function worthwhileCompression(plaintext: Uint8Array, wanted: CompressionSpec): CompressionSpec {
  if (wanted.algorithm === 'none' || plaintext.byteLength < MIN_BYTES) return wanted;
  const samples = Buffer.allocUnsafe(SAMPLE_COUNT * SAMPLE_BYTES);
  const strideBytes = Math.floor((plaintext.byteLength - SAMPLE_BYTES) / (SAMPLE_COUNT - 1));
  for (let sample = 0; sample < SAMPLE_COUNT; sample += 1) {
    const start = sample * strideBytes;
    samples.set(plaintext.subarray(start, start + SAMPLE_BYTES), sample * SAMPLE_BYTES);
  }
  return deflateRawSync(samples, { level: 1 }).byteLength < IN_VAIN_SHARE * samples.byteLength ? wanted : NONE;
}
