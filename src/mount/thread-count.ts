/**
 * How many threads compress and encrypt if nobody says. S3QL takes two for each processor; ours do nothing but compute, so that a second one
 * would only take memory (15 MB) and get in the way of the programs that use the mount.
 */
import { availableParallelism, totalmem } from 'node:os';
import type { CompressionSpec } from '../envelope/compression-spec.ts';

const MIN_THREADS = 2;
const MAX_THREADS = 10;
const MIB = 1024 * 1024;
/** Memory of an LZMA compressor by level, in MB. */
const LZMA_MEGABYTES = [3, 9, 17, 32, 48, 94, 94, 186, 370, 674];

export function defaultThreadCount(compression: CompressionSpec): number {
  const byProcessors = Math.min(Math.max(availableParallelism(), MIN_THREADS), MAX_THREADS);
  if (compression.algorithm !== 'lzma') return byProcessors;
  const bytes = (LZMA_MEGABYTES[compression.level] ?? 0) * MIB;
  return Math.max(1, Math.min(byProcessors, Math.floor(totalmem() / 2 / bytes)));
}
