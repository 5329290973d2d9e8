/** How fast a store is: one request at a time, and many. */
import { randomBytes } from 'node:crypto';
import { forEachLimit } from '../../util/for-each-limit.ts';
import type { Measurement } from './report.ts';
import { SCRATCH_METADATA, type ScratchObjects } from './scratch-objects.ts';

const SMALL_BYTES = 1000;
const SMALL_COUNT = 20;
const LARGE_BYTES = 8 * 1024 * 1024;
const LARGE_COUNT = 3;
/** S3QL's own blocks have 1 MiB, mostly less after compression. */
const BLOCK_BYTES = 512 * 1024;
const BLOCKS_PER_CONNECTION = 4;
const MAX_CONCURRENCY = 16;

interface Series {
  readonly name: string;
  readonly title: string;
  readonly keys: readonly string[];
  readonly concurrency: number;
  /** Of each request; 0 if none moves. */
  readonly payloadBytes: number;
  readonly request: (key: string) => Promise<unknown>;
}

/** @param onMeasured called after each series */
export async function measureStore(
  scratch: ScratchObjects,
  maxConnections: number,
  signal: AbortSignal,
  onMeasured: (done: number, total: number) => void,
): Promise<Measurement[]> {
  const { backend } = scratch;
  const concurrency = Math.min(maxConnections, MAX_CONCURRENCY);
  const store = (payloadBytes: number): ((key: string) => Promise<unknown>) => {
    // Not compressible on the way, nor known to the store.
    return (key) => backend.store(key, SCRATCH_METADATA, [randomBytes(payloadBytes)], { signal });
  };
  const fetch = (key: string): Promise<unknown> => backend.fetch(key, { signal });
  const small = scratch.newKeys(SMALL_COUNT);
  const large = scratch.newKeys(LARGE_COUNT);
  const blocks = scratch.newKeys(BLOCKS_PER_CONNECTION * concurrency);
  const alone = { concurrency: 1 };
  const together = { keys: blocks, concurrency, payloadBytes: BLOCK_BYTES };
  const series: readonly Series[] = [
    { name: 'small-store', title: 'Store 1 kB', keys: small, ...alone, payloadBytes: SMALL_BYTES, request: store(SMALL_BYTES) },
    { name: 'small-fetch', title: 'Fetch 1 kB', keys: small, ...alone, payloadBytes: SMALL_BYTES, request: fetch },
    { name: 'stat', title: 'Look for an object', keys: small, ...alone, payloadBytes: 0, request: (key) => backend.stat(key, { signal }) },
    {
      name: 'delete',
      title: 'Delete an object',
      keys: small,
      ...alone,
      payloadBytes: 0,
      request: (key) => backend.delete(key, { signal }),
    },
    { name: 'large-store', title: 'Store 8 MiB', keys: large, ...alone, payloadBytes: LARGE_BYTES, request: store(LARGE_BYTES) },
    { name: 'large-fetch', title: 'Fetch 8 MiB', keys: large, ...alone, payloadBytes: LARGE_BYTES, request: fetch },
    { name: 'parallel-store', title: `Store 512 KiB, ${concurrency} at a time`, ...together, request: store(BLOCK_BYTES) },
    { name: 'parallel-fetch', title: `Fetch 512 KiB, ${concurrency} at a time`, ...together, request: fetch },
  ];
  const measured: Measurement[] = [];
  for (const item of series) {
    measured.push(await measure(item, signal));
    onMeasured(measured.length, series.length);
  }
  return measured;
}

async function measure({ name, title, keys, concurrency, payloadBytes, request }: Series, signal: AbortSignal): Promise<Measurement> {
  const timesMs: number[] = [];
  const startMs = performance.now();
  await forEachLimit(
    keys,
    concurrency,
    async (key) => {
      const beganMs = performance.now();
      await request(key);
      timesMs.push(performance.now() - beganMs);
    },
    signal,
  );
  const durationMs = performance.now() - startMs;
  const sorted = timesMs.toSorted((a, b) => a - b);
  return {
    name,
    title,
    requestCount: keys.length,
    concurrency,
    durationMs,
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
    slowestMs: sorted.at(-1) ?? 0,
    ...(payloadBytes === 0 ? {} : { bytesPerSecond: (keys.length * payloadBytes * 1000) / durationMs }),
  };
}
