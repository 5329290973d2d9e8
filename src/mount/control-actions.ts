/** What tools can make the running mount do (control-file.ts has the requests). */
import { parseRateSchedule, type RateSchedule, RateSyntaxError } from '../backends/bandwidth/rate-schedule.ts';
import type { ConnectedBackend } from '../backends/decorated-backend.ts';
import type { SegmentedBlockCache } from '../blocks/segmented-block-cache.ts';
import type { ControlActions, ControlStatistics } from '../filesystem/control-file.ts';
import type { FileSystem } from '../filesystem/file-system.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { withoutSecrets } from '../util/without-secrets.ts';
import { logger, type LogLevel, setLogLevels } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { flushWithProgress } from './flush-with-progress.ts';
import type { MetadataUploads } from './metadata-uploads.ts';
import type { StoreHealth } from './store-health.ts';
import type { WriteGate } from './write-gate.ts';

/** Tells the kernel that what it has cached is not so any more; never waits. */
export interface KernelCaches {
  entryChanged(parent: InodeId, name: Uint8Array): void;
  inodeChanged(inode: InodeId): void;
}

export interface ControlActionsParts {
  readonly fileSystem: FileSystem;
  readonly database: MetadataDatabase;
  readonly blocks: SegmentedBlockCache;
  readonly uploads: MetadataUploads;
  readonly store: Pick<ConnectedBackend, 'metrics' | 'setBandwidth'>;
  readonly kernel: KernelCaches;
  readonly gate: WriteGate;
  readonly health: StoreHealth;
  readonly maxCacheEntries: number;
  readonly eventsPath: string;
  /** Of what tools wait for. */
  readonly progress: ProgressReporter;
}

const log = logger('mount');

export function controlActions({
  fileSystem,
  database,
  blocks,
  uploads,
  store,
  kernel,
  gate,
  health,
  maxCacheEntries,
  eventsPath,
  progress,
}: ControlActionsParts): ControlActions {
  return {
    flushCache: () => flushWithProgress(blocks, progress),
    dropCache: async () => {
      await flushWithProgress(blocks, progress);
      await blocks.drop();
    },
    backUpMetadata: () => uploads.backUp(),
    setCacheSize: (sizeBytes) => blocks.setLimits({ sizeBytes, entryCount: maxCacheEntries }),
    setBandwidthLimit(direction, rate) {
      store.setBandwidth({ [direction]: bandwidthLimit(rate) });
      log.info('Limit of %ss from now on: %s', direction, rate);
    },
    setLogLevel: (level, modules) => setLogLevels(logLevels(level, modules)),
    copyTree: async (source, target) => {
      gate.requireOpen();
      log.info('Copying the tree of inode %d to inode %d', source, target);
      using step = progress.step('Copying', 'entries');
      let done = 0;
      await fileSystem.copyTree(source as InodeId, target as InodeId, (entryCount) => {
        done += entryCount;
        step.update({ done });
        gate.requireOpen();
      });
      kernel.inodeChanged(target as InodeId);
    },
    lockTree: async (inode) => {
      gate.requireOpen();
      await fileSystem.lockTree(inode as InodeId);
    },
    removeTree: async (parent, name) => {
      gate.requireOpen('makes-room');
      using step = progress.step('Removing', 'entries');
      let done = 0;
      await fileSystem.removeTree(parent as InodeId, name, (directory, entry) => {
        kernel.entryChanged(directory, entry);
        done += 1;
        step.update({ done });
      });
      kernel.inodeChanged(parent as InodeId);
    },
    statistics: () => mountStatistics(database, blocks),
    storeMetrics: () => JSON.stringify(store.metrics()),
    state: () => ({
      store: health.report(),
      readOnlyBecause: gate.readOnlyBecause,
      generation: uploads.report(),
      uploadingCount: blocks.stats().uploadingCount,
      uploadFailure: messageOf(blocks.uploadFailure),
    }),
    eventsPath: () => eventsPath,
  };
}

function bandwidthLimit(rate: string): RateSchedule {
  try {
    return parseRateSchedule(rate);
  } catch (error) {
    if (error instanceof RateSyntaxError) throw new FsError('EINVAL', error.message);
    throw error;
  }
}

function messageOf(failure: unknown): string | undefined {
  return failure instanceof Error ? withoutSecrets(failure.message) : undefined;
}

export function mountStatistics(database: MetadataDatabase, blocks: SegmentedBlockCache): ControlStatistics {
  const totals = database.totals();
  const cache = blocks.stats();
  return {
    entryCount: totals.entryCount,
    objectCount: totals.objectCount,
    inodeCount: totals.inodeCount,
    totalSizeBytes: totals.totalSizeBytes,
    deduplicatedSizeBytes: totals.deduplicatedSizeBytes,
    storedSizeBytes: totals.storedSizeBytes,
    databaseSizeBytes: totals.databaseSizeBytes,
    cacheEntryCount: cache.entryCount,
    cacheSizeBytes: cache.sizeBytes,
    dirtyEntryCount: cache.dirtyEntryCount,
    dirtySizeBytes: cache.dirtySizeBytes,
    pendingRemovalCount: cache.pendingRemovalCount,
  };
}

/** From the numbers of Python's logging. Modules count for debug messages only. */
function logLevels(level: number, modules: readonly string[]): { level: LogLevel; debugModules: readonly string[] } {
  if (level <= 10)
    return modules.length === 0 || modules.includes('all')
      ? { level: 'debug', debugModules: [] }
      : { level: 'info', debugModules: modules };
  if (level <= 20) return { level: 'info', debugModules: [] };
  return { level: level <= 30 ? 'warn' : 'error', debugModules: [] };
}
