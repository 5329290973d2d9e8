/**
 * A file system opened to be used and changed: store and metadata made ready, the lease taken, the store told that it is mounted, what a crash
 * left recovered; and back in reverse order, until everything is in the store. What serves it, the kernel or a command, comes on top.
 * What is acquired is released in reverse order on every way out.
 */
import type { ConnectedBackend } from '../backends/decorated-backend.ts';
import { type Connect, connect } from '../backends/connect.ts';
import { formatBytes } from '../cli/format.ts';
import type { MountRequest } from '../cli/run-mount.ts';
import type { BlockCacheLimits } from '../blocks/block-cache.ts';
import type { SegmentedBlockCache } from '../blocks/segmented-block-cache.ts';
import { openBlockCache } from '../blocks/open-block-cache.ts';
import type { AtimePolicy } from '../filesystem/context.ts';
import { FileSystem } from '../filesystem/file-system.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import { nextSeqNo } from '../metadata/generation-upload.ts';
import { PieceDigests } from '../metadata/piece-digests.ts';
import { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import type { Superblock } from '../metadata/superblock.ts';
import { FsError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { beginWriting } from './begin-writing.ts';
import { cacheLimits, checkDescriptorLimit } from './cache-limits.ts';
import { chooseMetadata } from './choose-metadata.ts';
import { Lease } from './lease.ts';
import { flushWithProgress } from './flush-with-progress.ts';
import { LocalDirectory } from './local-directory.ts';
import { MetadataUploads } from './metadata-uploads.ts';
import { openStore } from './open-store.ts';
import { type MetadataOrigin, prepareMetadata } from './prepare-metadata.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';
import { SEQ_NO_GAP, skipObjectIds } from './take-over.ts';
import { WriteGate } from './write-gate.ts';
import { StoreHealth } from './store-health.ts';
import type { WriterGuard } from './writer-guard.ts';

const log = logger('mount');

export interface OpenRequest extends Pick<
  MountRequest,
  | 'storage'
  | 'compress'
  | 'takeOver'
  | 'nfs'
  | 'cacheSizeBytes'
  | 'maxCacheEntries'
  | 'keepCache'
  | 'dirtyBlockUploadDelayMs'
  | 'metadataBackupIntervalMs'
  | 'fsync'
  | 'readTimeoutMs'
  | 'storeTimeoutMs'
  | 'fullCache'
> {
  readonly atimePolicy: AtimePolicy;
  readonly directoryAtimePolicy: AtimePolicy;
  /** The command, as machines are told that want the file system, too. */
  readonly program: string;
}

interface Parts {
  readonly fileSystem: FileSystem;
  readonly database: SqliteMetadata;
  readonly blocks: SegmentedBlockCache;
  readonly uploads: MetadataUploads;
  readonly backend: ConnectedBackend;
  readonly gate: WriteGate;
  readonly health: StoreHealth;
  readonly limits: BlockCacheLimits;
  readonly superblock: Superblock;
  readonly lease: Lease;
  readonly guard: WriterGuard;
  readonly origin: MetadataOrigin;
}

/** To be disposed of in any case; without `finish` before, what is not stored yet stays for the next mount on this machine. */
export class OpenFileSystem implements AsyncDisposable {
  readonly fileSystem: FileSystem;
  readonly database: SqliteMetadata;
  readonly blocks: SegmentedBlockCache;
  readonly uploads: MetadataUploads;
  /** The store, for its figures and its limits. */
  readonly backend: Pick<ConnectedBackend, 'metrics' | 'setBandwidth'>;
  /** Whether changes are taken. */
  readonly gate: WriteGate;
  readonly health: StoreHealth;
  readonly limits: BlockCacheLimits;
  /** As it was published when the file system was opened. */
  readonly superblock: Superblock;
  readonly #lease: Lease;
  readonly #guard: WriterGuard;
  readonly #origin: MetadataOrigin;
  readonly #resources: AsyncDisposableStack;

  constructor(parts: Parts, resources: AsyncDisposableStack) {
    this.fileSystem = parts.fileSystem;
    this.database = parts.database;
    this.blocks = parts.blocks;
    this.uploads = parts.uploads;
    this.backend = parts.backend;
    this.gate = parts.gate;
    this.health = parts.health;
    this.limits = parts.limits;
    this.superblock = parts.superblock;
    this.#lease = parts.lease;
    this.#guard = parts.guard;
    this.#origin = parts.origin;
    this.#resources = resources;
  }

  /** Begins all periodic work: commits, uploads of metadata, looking whether the file system is still ours. */
  start(): void {
    this.fileSystem.commits.start();
    this.uploads.start();
    this.#guard.start();
    // A generation that shares no piece with what the other machine may still be writing.
    if (this.#origin === 'taken-over') this.uploads.backUp();
  }

  /** Brings everything to the store; then the file system is unmounted, for all machines. @throws if not everything could be stored */
  async finish(progress: Interaction['progress']): Promise<void> {
    await this.fileSystem.finish();
    await flushWithProgress(this.blocks, progress);
    await this.uploads.finish(progress);
    await this.#finishRemovals(progress);
    await this.#lease.release();
  }

  async #finishRemovals(progress: Interaction['progress']): Promise<void> {
    if (this.blocks.stats().pendingRemovalCount === 0) return;
    using step = progress.step('Deleting objects that are not needed any more', 'objects');
    await this.blocks.finishRemovals({ onProgress: (done) => step.update(done) });
  }

  /** Nothing was changed since it was opened: other machines may have it. With blocks to store first, that is left to the next mount here. */
  async giveBack(progress: Interaction['progress']): Promise<void> {
    if (this.blocks.stats().dirtyEntryCount > 0) return;
    await this.uploads.finish(progress);
    await this.#lease.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

/** @throws UserError with the documented exit codes; then the file system is as before */
export async function openFileSystem(
  request: OpenRequest,
  interaction: Interaction,
  connectStore: Connect = connect,
): Promise<OpenFileSystem> {
  await using resources = new AsyncDisposableStack();
  const { storage, compress } = request;
  const { url, maxConnections } = storage.backend;
  checkDescriptorLimit(maxConnections);
  const local = resources.use(new LocalDirectory(storage.cachedir, url));
  const gate = new WriteGate();
  const health = resources.use(new StoreHealth(gate));
  const backendSpec = { ...storage.backend, giveUpAfterMs: request.storeTimeoutMs };
  const store = await openStore({ ...storage, backend: backendSpec }, compress, interaction, connectStore, health.noteState);
  resources.use(store.objects);

  const keeper = new SuperblockKeeper(local, store.objects, compress);
  const copies = await keeper.read();
  const { signal } = interaction;
  const lease = await Lease.acquire({
    backend: store.backend,
    path: local.leasePath,
    program: request.program,
    override: '--take-over',
    signal,
    mountedElsewhere: async () => {
      const choice = chooseMetadata(copies, await fetchSuperblock(store.objects, { signal }));
      return 'refuse' in choice && choice.refuse === 'mounted-elsewhere';
    },
    force: request.takeOver,
  });
  await using unlessPublished = new AsyncDisposableStack();
  unlessPublished.defer(() => lease.release());
  // What the store says now that nobody else may begin.
  const remote = await fetchSuperblock(store.objects, { signal });
  const { origin } = await prepareMetadata(local, store.objects, copies, remote, { ...interaction, takeOver: request.takeOver });
  const superblock: Superblock = {
    ...remote,
    seqNo: (await nextSeqNo(local, remote, copies?.written)) + (origin === 'taken-over' ? SEQ_NO_GAP : 0),
    isMounted: true,
    lastModifiedSeconds: Date.now() / 1000,
  };
  // From here on the store says that the file system is mounted, and this machine that it is so here.
  const { guard, objects } = await beginWriting({ lease, keeper, objects: store.objects, superblock, signal });
  unlessPublished.move();
  resources.use(guard);
  guard.onLost = (error) => {
    gate.close('lost', error.message);
    log.error('%s: this mount is read-only now. What it has not stored yet stays in %s', capitalized(error.message), local.path);
  };

  const database = resources.use(new SqliteMetadata(local.databasePath, { reserve: true }));
  database.entries.setParentIndex(request.nfs);
  if (origin === 'taken-over') {
    await skipObjectIds(objects, database, signal);
    await PieceDigests.forget(local.piecesPath, superblock.metadataBlockSizeBytes);
  }
  const limits = cacheLimits({
    cacheSizeBytes: request.cacheSizeBytes,
    maxCacheEntries: request.maxCacheEntries,
    blockSizeBytes: superblock.dataBlockSizeBytes,
    directory: local.path,
  });
  const { cache: blocks, recovery } = await openBlockCache({
    directory: local.segmentsPath,
    blockSizeBytes: superblock.dataBlockSizeBytes,
    database,
    objects,
    limits,
    compression: compress,
    requestDurable: async () => void (await fileSystem.commits.syncMetadata()),
    log: {
      info: (message) => log.info('%s', message),
      warn: (message) => log.warn('%s', message),
      error: (message, error) => log.error(error, '%s', message),
    },
    dirtyUploadDelayMs: request.dirtyBlockUploadDelayMs,
    maxUploads: maxConnections,
    maxDownloads: maxConnections,
    whenStuck: request.fullCache,
    readTimeoutMs: request.readTimeoutMs === 0 ? Infinity : request.readTimeoutMs,
    storeIsDown: () => health.isDown,
    onUploadState: (error) => health.noteWrite(error),
  });
  health.onChange = () => blocks.storeStateChanged();
  health.probe = async () => {
    await lease.renew();
    return blocks.uploadFailure === undefined || blocks.stats().dirtyEntryCount === 0;
  };
  // On failure dirty blocks stay for the next mount.
  resources.defer(() => blocks.close({ keep: request.keepCache }));
  if (origin === 'recovered') {
    const { dirtyBlockCount, dirtyBytes } = recovery;
    log.info(
      'Recovered from a mount that did not end cleanly: %d blocks (%s) were not in the store.',
      dirtyBlockCount,
      formatBytes(dirtyBytes),
    );
  }
  const fileSystem = new FileSystem({
    database,
    blocks,
    atimePolicy: request.atimePolicy,
    directoryAtimePolicy: request.directoryAtimePolicy,
    ...(request.fsync === 'remote' ? { toStore: () => uploads.toStore() } : {}),
    onCommit: (error) => noteCommit(gate, database, error),
    onBackgroundError: (error, what) => log.error(error, 'Error while %s', what),
  });
  const uploads: MetadataUploads = resources.use(
    new MetadataUploads({
      local,
      database,
      blocks,
      commits: fileSystem.commits,
      objects,
      keeper,
      compression: compress,
      connectionLimit: maxConnections,
      superblock,
      intervalMs: request.metadataBackupIntervalMs,
      requireOwned: () => guard.check(),
      onState: (error) => health.noteWrite(error),
    }),
  );
  await uploads.countTotals();
  fileSystem.purgeOrphans();
  const { backend } = store;
  return new OpenFileSystem(
    { fileSystem, database, blocks, uploads, backend, gate, health, limits, superblock, lease, guard, origin },
    resources.move(),
  );
}

/**
 * On a full disk what is set aside is for changes that make room. Those that do not fit it either stay in memory; before they are too many, no
 * more are taken. The cycle tries again by itself.
 */
function noteCommit(gate: WriteGate, { onReserve }: SqliteMetadata, error: unknown): void {
  if (error === undefined) {
    const wasClosed = gate.isClosed('disk') || gate.isClosed('reserve');
    gate.open('disk');
    if (onReserve) {
      if (!wasClosed)
        log.error('The disk of the cache directory is full: files can be deleted, nothing else is taken until there is room.');
      gate.close('reserve', 'the disk of the cache directory is full');
    } else {
      if (wasClosed) log.info('There is room for the metadata again: changes are taken.');
      gate.open('reserve');
    }
  } else if (error instanceof FsError && error.code === 'ENOSPC') {
    if (!gate.isClosed('disk'))
      log.error('The disk of the cache directory is full: no changes are taken until there is room. %s', error.message);
    gate.close('disk', `the disk of the cache directory is full: ${error.message}`);
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
