/** How large the block cache may become if nobody says, and whether the process may open enough files for it. */
import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { type BlockCacheLimits, DEFAULT_MAX_CACHE_ENTRIES } from '../blocks/block-cache.ts';
import { UserError } from '../util/errors.ts';

const EXIT_TOO_FEW_DESCRIPTORS = 37;
/** Share of the cache directory's free space that the cache takes by default. */
const FREE_SPACE_SHARE = 0.8;
/** Descriptors for everything but connections and cached segments. */
const OTHER_DESCRIPTORS = 96;
const DESCRIPTORS_PER_CONNECTION = 3;
const MIN_SEGMENT_DESCRIPTORS = 64;

export interface CacheLimitOptions {
  readonly cacheSizeBytes: number | undefined;
  readonly maxCacheEntries: number | undefined;
  readonly blockSizeBytes: number;
  /** An existing directory on the disk that will hold the cache. */
  readonly directory: string;
}

export function cacheLimits(options: CacheLimitOptions): BlockCacheLimits {
  const entryCount = options.maxCacheEntries ?? DEFAULT_MAX_CACHE_ENTRIES;
  return { entryCount, sizeBytes: options.cacheSizeBytes ?? defaultSize(options, entryCount) };
}

/** @throws UserError exit 37 */
export function checkDescriptorLimit(maxConnections: number): void {
  const limit = openFileLimit();
  const needed = OTHER_DESCRIPTORS + DESCRIPTORS_PER_CONNECTION * maxConnections + MIN_SEGMENT_DESCRIPTORS;
  if (limit < needed) {
    throw new UserError(
      `This process may open ${limit} files, but needs ${needed}: raise the limit (ulimit -n) or lower --max-connections.`,
      EXIT_TOO_FEW_DESCRIPTORS,
    );
  }
}

function defaultSize(options: CacheLimitOptions, entryCount: number): number {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = statfsSync(options.directory);
  return Math.floor(Math.min((entryCount * options.blockSizeBytes) / 2, bavail * bsize * FREE_SPACE_SHARE));
}

/** The hard limit: Node raises the soft one to it when it starts. */
function openFileLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
