/** How fast one thread compresses and encrypts blocks of a file, and how small they become. */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { CompressionSpec } from '../../envelope/compression-spec.ts';
import { masterKeyEnvelope } from '../../envelope/envelope.ts';
import { TransformPool } from '../../objects/transform-pool.ts';
import { UserError } from '../../util/errors.ts';
import type { CompressionRate } from './recommendation.ts';

const BLOCK_BYTES = 1024 * 1024;
/** Taken from all over the file. */
const MAXIMUM_BLOCKS = 16;
const MASTER_KEY_BYTES = 32;

export const MEASURED_COMPRESSIONS: readonly CompressionSpec[] = [
  { algorithm: 'none', level: 0 },
  { algorithm: 'zlib', level: 1 },
  { algorithm: 'zlib', level: 6 },
  { algorithm: 'bzip2', level: 6 },
  { algorithm: 'lzma', level: 1 },
  { algorithm: 'lzma', level: 6 },
];

/** Blocks of the file. @throws UserError if it cannot be read, or is empty */
export async function readSample(path: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const fail = (reason: string, cause?: unknown): UserError => new UserError(`${path} ${reason}`, 1, { cause });
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? fail('does not exist', error) : fail(`cannot be read: ${error.message}`, error);
  });
  await using _file = file;
  const stats = await file.stat();
  if (!stats.isFile()) throw fail('is not a regular file');
  if (stats.size === 0) throw fail('is empty: there is nothing to measure with');
  const blockCount = Math.ceil(stats.size / BLOCK_BYTES);
  const step = Math.max(1, Math.floor(blockCount / MAXIMUM_BLOCKS));
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (let block = 0; block < blockCount && blocks.length < MAXIMUM_BLOCKS; block += step) {
    const buffer = new Uint8Array(BLOCK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, BLOCK_BYTES, block * BLOCK_BYTES);
    if (bytesRead > 0) blocks.push(buffer.slice(0, bytesRead));
  }
  return blocks;
}

/** Goes through the blocks again and again until the time is over, but once at least through one of them. */
export async function measureCompression(
  blocks: readonly Uint8Array<ArrayBuffer>[],
  compression: CompressionSpec,
  timeMs: number,
  signal: AbortSignal,
): Promise<CompressionRate> {
  await using pool = new TransformPool(masterKeyEnvelope(randomBytes(MASTER_KEY_BYTES)), 1);
  // The thread has to start, and to load the compressor.
  await pool.run({ kind: 'seal', key: 'warm-up', bytes: new Uint8Array(1), compression });
  let plainBytes = 0;
  let storedBytes = 0;
  const startMs = performance.now();
  for (let index = 0; index === 0 || performance.now() - startMs < timeMs; index += 1) {
    signal.throwIfAborted();
    const bytes = (blocks[index % blocks.length] ?? new Uint8Array(1)).slice();
    plainBytes += bytes.byteLength;
    const { payload } = await pool.run({ kind: 'seal', key: 'measured', bytes, compression });
    storedBytes += payload.byteLength;
  }
  return { compression, bytesPerSecond: plainBytes / ((performance.now() - startMs) / 1000), ratio: storedBytes / plainBytes };
}
