/** How fast a store takes objects: with one connection, with two, four and so on, as long as more of them help. */
import { randomBytes } from 'node:crypto';
import type { Backend } from '../../backends/backend.ts';
import type { UploadRate } from './recommendation.ts';

/** Nothing else in a store begins like this. */
const KEY_PREFIX = 's3ql_benchmark_';
const OBJECT_BYTES = 512 * 1024;
/** No more than this is written for one number of connections. */
const MAXIMUM_OBJECTS = 200;
/** More connections have to bring this much more. */
const WORTHWHILE = 1.1;

/** Leaves nothing in the store, even if it fails. @throws BackendError subclasses */
export async function measureUpload(backend: Backend, maxConnections: number, timeMs: number, signal: AbortSignal): Promise<UploadRate[]> {
  const run = `${KEY_PREFIX}${randomBytes(6).toString('hex')}_`;
  const rates: UploadRate[] = [];
  let objectCount = 0;
  const measure = async (connections: number): Promise<UploadRate> => {
    const startMs = performance.now();
    const first = objectCount;
    const isOver = (): boolean => performance.now() - startMs >= timeMs || objectCount - first >= MAXIMUM_OBJECTS;
    const lane = async (): Promise<void> => {
      do {
        const key = `${run}${objectCount}`;
        objectCount += 1;
        await backend.store(key, { format_version: 2 }, [randomBytes(OBJECT_BYTES)], { signal });
      } while (!isOver());
    };
    const outcomes = await Promise.allSettled(Array.from({ length: connections }, lane));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const seconds = (performance.now() - startMs) / 1000;
    return { connections, bytesPerSecond: ((objectCount - first) * OBJECT_BYTES) / seconds };
  };
  try {
    for (let connections = 1; connections <= maxConnections; connections *= 2) {
      const rate = await measure(connections);
      const before = rates.at(-1);
      rates.push(rate);
      if (before !== undefined && rate.bytesPerSecond < before.bytesPerSecond * WORTHWHILE) break;
    }
    return rates;
  } finally {
    await backend.deleteMany(Array.from({ length: objectCount }, (_, index) => `${run}${index}`));
  }
}
