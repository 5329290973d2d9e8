/** Blocks that this machine's cache holds and the store does not: recovered and uploaded as by a mount. */
import { existsSync } from 'node:fs';
import { BackendError } from '../backends/errors.ts';
import { openBlockCache } from '../blocks/open-block-cache.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { CommitCycle } from '../filesystem/commit-cycle.ts';
import { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { FsError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';

/** Nothing is added to the cache, so it needs no limits. */
const NO_LIMITS = { sizeBytes: 2 ** 50, entryCount: 2 ** 40 };
const COMMIT_INTERVAL_MS = 5_000;

const log = logger('fsck');

export interface CachedBlocksOptions {
  readonly segmentsPath: string;
  readonly databasePath: string;
  readonly blockSizeBytes: number;
  readonly objects: ObjectStore;
  readonly compression: CompressionSpec;
  readonly connectionLimit: number;
  /** Blocks that are in the store stay in the cache for the next mount. */
  readonly keep: boolean;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal | undefined;
}

/** Returns how many blocks were uploaded. What could not be uploaded stays in the cache. */
export async function storeCachedBlocks(options: CachedBlocksOptions): Promise<number> {
  if (!existsSync(options.segmentsPath)) return 0;
  using database = new SqliteMetadata(options.databasePath);
  const { cache, recovery } = await openBlockCache({
    directory: options.segmentsPath,
    blockSizeBytes: options.blockSizeBytes,
    database,
    objects: options.objects,
    limits: NO_LIMITS,
    compression: options.compression,
    requestDurable: async () => void (await commits.syncMetadata()),
    log: {
      info: (message) => log.info('%s', message),
      warn: (message) => log.warn('%s', message),
      error: (message, error) => log.error(error, '%s', message),
    },
    maxUploads: options.connectionLimit,
  });
  const commits = new CommitCycle({
    database,
    blocks: cache,
    intervalMs: COMMIT_INTERVAL_MS,
    onError: (error) => log.error(error, 'Cannot commit'),
  });
  try {
    using step = options.progress.step('Uploading cached blocks', 'blocks');
    await cache.flush(undefined, {
      onProgress: ({ blocksDone, blocksTotal, bytesDone, bytesTotal }) =>
        step.update({ done: blocksDone, total: blocksTotal, bytesDone, bytesTotal }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    await commits.syncMetadata();
  } catch (error) {
    // What the store said is what the user can do something about.
    throw error instanceof FsError && error.cause instanceof BackendError ? error.cause : error;
  } finally {
    await cache.close({ keep: options.keep });
  }
  return recovery.dirtyBlockCount;
}
