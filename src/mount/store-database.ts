/** Brings the local database of a file system that nobody uses to the store, as a generation after which it is unmounted. */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { GenerationCatalog } from '../metadata/generation-retention.ts';
import { nextSeqNo, uploadGeneration } from '../metadata/generation-upload.ts';
import { thin } from '../metadata/retention-policy.ts';
import { SnapshotWorker } from '../metadata/snapshot.ts';
import { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import type { LocalDirectory } from './local-directory.ts';
import type { SuperblockKeeper } from './superblock-keeper.ts';

const log = logger('mount');

export interface StoreDatabaseOptions {
  readonly local: LocalDirectory;
  readonly objects: ObjectStore;
  readonly keeper: SuperblockKeeper;
  readonly compression: CompressionSpec;
  readonly connectionLimit: number;
  /** The last one published. */
  readonly superblock: Superblock;
  /** What is different in the new one. */
  readonly changes?: Partial<Pick<Superblock, 'needsFsck' | 'lastFsckSeconds'>>;
  /** Called before the generation is published. @throws if the file system is not ours any more */
  readonly requireOwned: () => Promise<void>;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

/** Returns the new superblock. Old generations are thinned; if that fails, that is only logged. */
export async function storeDatabase(options: StoreDatabaseOptions): Promise<Superblock> {
  const { local, objects, keeper, compression, connectionLimit, requireOwned, progress, signal } = options;
  using database = new SqliteMetadata(local.databasePath);
  await using worker = new SnapshotWorker(database);
  using snapshot = await worker.freeze(options.superblock.metadataBlockSizeBytes);
  const { superblock } = await uploadGeneration({
    store: objects,
    paths: local,
    snapshot,
    superblock: {
      ...options.superblock,
      ...options.changes,
      seqNo: await nextSeqNo(local, options.superblock),
      isMounted: false,
      lastModifiedSeconds: Date.now() / 1000,
    },
    compression,
    connectionLimit,
    publish: (published) => keeper.publish(published, { signal, requireOwned }),
    progress,
    signal,
  });
  try {
    const catalog = await GenerationCatalog.load(objects, { connectionLimit, signal });
    await catalog.expire(thin, Date.now(), { signal });
  } catch (error) {
    log.warn(error, 'Cannot delete old metadata from the store; it is tried again after the next upload');
  }
  return superblock;
}
