/**
 * A mount from beginning to end: store and metadata made ready, block cache recovered, kernel mount served; and back in reverse order, until
 * everything is in the store. What is acquired is released in reverse order on every way out.
 */
import { BackendError, NoSpaceError } from '../backends/errors.ts';
import { type Connect, connect } from '../backends/connect.ts';
import { formatBytes } from '../cli/format.ts';
import type { MountRequest } from '../cli/run-mount.ts';
import type { SegmentedBlockCache } from '../blocks/segmented-block-cache.ts';
import { openBlockCache } from '../blocks/open-block-cache.ts';
import { ControlFile } from '../filesystem/control-file.ts';
import { FileSystem } from '../filesystem/file-system.ts';
import { MountError } from '../fuse/kernel-mount.ts';
import { type FuseMount, mountFuse } from '../fuse/mount.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import { nextSeqNo } from '../metadata/generation-upload.ts';
import { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { InodeId } from '../metadata/types.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { cacheLimits, checkDescriptorLimit } from './cache-limits.ts';
import { controlActions, type KernelCaches } from './control-actions.ts';
import { FuseAdapter } from './fuse-adapter.ts';
import { atimePolicy, directoryAtimePolicy, fuseFeatures, kernelMountOptions } from './kernel-options.ts';
import { chooseMetadata } from './choose-metadata.ts';
import { FencedObjectStore } from './fenced-object-store.ts';
import { EXIT_MOUNTED_ELSEWHERE, Lease } from './lease.ts';
import { LocalDirectory } from './local-directory.ts';
import { MetadataUploads } from './metadata-uploads.ts';
import { openStore } from './open-store.ts';
import { prepareMetadata } from './prepare-metadata.ts';
import type { RunningMount } from './running-mount.ts';
import { skipObjectIds } from './skip-object-ids.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';
import { WriteGate } from './write-gate.ts';
import { FileSystemLostError, WriterGuard } from './writer-guard.ts';

const EXIT_MOUNT_FAILED = 39;

const log = logger('mount');

/** @throws UserError with the documented exit codes; then nothing is mounted and the file system is as before */
export async function startMount(request: MountRequest, interaction: Interaction, connectStore: Connect = connect): Promise<RunningMount> {
  await using resources = new AsyncDisposableStack();
  const { storage, compress } = request;
  const { url, maxConnections } = storage.backend;
  checkDescriptorLimit(maxConnections);
  const local = resources.use(new LocalDirectory(storage.cachedir, url));
  const store = await openStore(storage, compress, interaction, connectStore);
  resources.use(store.objects);

  const keeper = new SuperblockKeeper(local, store.objects, compress);
  const copies = await keeper.read();
  const { signal } = interaction;
  const lease = await Lease.acquire({
    backend: store.backend,
    path: local.leasePath,
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
    seqNo: await nextSeqNo(local, remote, copies?.written),
    isMounted: true,
    lastModifiedSeconds: Date.now() / 1000,
  };
  // From here on the store says that the file system is mounted, and this machine that it is so here.
  await keeper.publish(superblock);
  unlessPublished.move();
  await lease.published();
  const guard = resources.use(new WriterGuard(lease, keeper, store.objects));
  await guard.check().catch((error: unknown) => {
    throw error instanceof FileSystemLostError
      ? new UserError(`${capitalized(error.message)} in this moment.`, EXIT_MOUNTED_ELSEWHERE)
      : error;
  });
  const objects = new FencedObjectStore(store.objects, guard);
  const gate = new WriteGate();
  guard.onLost = (error) => {
    gate.close('lost', error.message);
    log.error('%s: this mount is read-only now. What it has not stored yet stays in %s', capitalized(error.message), local.path);
  };

  const database = resources.use(new SqliteMetadata(local.databasePath));
  database.entries.setParentIndex(request.nfs);
  if (origin === 'taken-over') await skipObjectIds(objects, database, signal);
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
    onUploadState: (error) => {
      // What is worth another try has been tried for a day by now; a lost file system has its own reason.
      const isOutage = error instanceof BackendError && !(error instanceof NoSpaceError || error instanceof FileSystemLostError);
      if (isOutage) gate.close('store', error.message);
      else if (error === undefined) gate.open('store');
    },
  });
  const ending = new MountEnding(blocks, request.keepCache);
  resources.use(ending);
  if (origin === 'recovered') {
    log.info('Recovered %d blocks (%s) that were not in the store yet.', recovery.dirtyBlockCount, formatBytes(recovery.dirtyBytes));
  }
  const fileSystem = new FileSystem({
    database,
    blocks,
    atimePolicy: atimePolicy(request),
    directoryAtimePolicy: directoryAtimePolicy(request),
    ...(request.fsync === 'remote' ? { toStore: () => uploads.toStore() } : {}),
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
      beforePublishing: () => guard.check(),
    }),
  );
  await uploads.countTotals();
  fileSystem.purgeOrphans();

  const kernel = new NotifiedKernel();
  const controlFile = new ControlFile(
    controlActions({ fileSystem, database, blocks, uploads, kernel, maxCacheEntries: limits.entryCount, eventsName: request.eventsName }),
  );
  log.info('Mounting filesystem...');
  const fuse = await mountKernel(request, url, superblock, { fileSystem, controlFile, gate }).catch(async (error: unknown) => {
    // Other machines may mount it. With blocks to store first, that is left to the next mount here.
    if (blocks.stats().dirtyEntryCount === 0) await uploads.finish(interaction.progress).then(() => lease.release());
    throw error;
  });
  kernel.connect(fuse);
  // Larger reads of the kernel; only root may ask for them, and without it everything works too.
  await fuse.setReadAhead().catch((error: unknown) => log.debug(error, 'Read-ahead of the kernel stays as it is'));
  fileSystem.commits.start();
  uploads.start();
  guard.start();

  const owned = resources.move();
  const ended = serveUntilEnd(fuse, fileSystem, blocks, uploads, lease, interaction, owned);
  return { mountpoint: fuse.mountpoint, ended, unmount: () => unmount(fuse) };
}

async function mountKernel(
  request: MountRequest,
  url: string,
  superblock: Superblock,
  served: { readonly fileSystem: FileSystem; readonly controlFile: ControlFile; readonly gate: WriteGate },
): Promise<FuseMount> {
  const uid = process.getuid?.() ?? 0;
  try {
    return await mountFuse({
      ...kernelMountOptions(request, url),
      handlers: new FuseAdapter({
        ...served,
        generation: superblock.inodeGeneration,
        ownerUid: uid,
        ownerGid: process.getgid?.() ?? 0,
      }),
      session: {
        features: fuseFeatures(request),
        onError: (error, request_) => log.error(error, 'Error while answering %s', request_),
        ...(request.allowRoot && !request.allowOther ? { onlyRootAndUid: uid } : {}),
      },
    });
  } catch (error) {
    if (error instanceof MountError) throw new UserError(error.message, EXIT_MOUNT_FAILED, { cause: error });
    throw error;
  }
}

/** Waits for the end of the kernel mount, then stores everything. Never rejects. */
async function serveUntilEnd(
  fuse: FuseMount,
  fileSystem: FileSystem,
  blocks: SegmentedBlockCache,
  uploads: MetadataUploads,
  lease: Lease,
  { progress }: Interaction,
  resources: AsyncDisposableStack,
): Promise<{ exitCode: number }> {
  let exitCode = 0;
  try {
    await fuse.ended.catch((error: unknown) => {
      log.error(error, 'The connection to the kernel failed; storing what there is');
      exitCode = 1;
    });
    log.info('Unmounted; storing what is not stored yet...');
    await fileSystem.finish();
    await flushWithProgress(blocks, progress);
    await uploads.finish(progress);
    await lease.release();
    log.info('All data and metadata are in the store.');
  } catch (error) {
    log.error(error, 'Not everything could be stored. It is kept on this machine, and stored by the next mount.');
    exitCode = 1;
  }
  try {
    await resources.disposeAsync();
  } catch (error) {
    log.error(error, 'Error while ending the mount');
    exitCode = 1;
  }
  return { exitCode };
}

async function flushWithProgress(blocks: SegmentedBlockCache, progress: Interaction['progress']): Promise<void> {
  using step = progress.step('Uploading data', 'blocks');
  await blocks.flush(undefined, {
    onProgress: ({ blocksDone, blocksTotal, bytesDone, bytesTotal }) =>
      step.update({ done: blocksDone, total: blocksTotal, bytesDone, bytesTotal }),
  });
}

async function unmount(fuse: FuseMount): Promise<void> {
  try {
    await fuse.unmount();
  } catch (error) {
    if (!(error instanceof MountError) || error.code !== 'EBUSY') throw error;
    // Told to end while files are open: out of sight now, over when the last one is closed.
    log.warn('The mount is in use: it is taken out of sight, and ends when nobody uses it any more.');
    await fuse.unmount({ lazy: true });
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Closes the block cache; on failure dirty blocks stay for the next mount. */
class MountEnding implements AsyncDisposable {
  readonly #blocks: SegmentedBlockCache;
  readonly #keep: boolean;

  constructor(blocks: SegmentedBlockCache, keep: boolean) {
    this.#blocks = blocks;
    this.#keep = keep;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#blocks.close({ keep: this.#keep });
  }
}

/** The kernel's caches of a mount that may not exist yet. */
class NotifiedKernel implements KernelCaches {
  #fuse: FuseMount | undefined;

  connect(fuse: FuseMount): void {
    this.#fuse = fuse;
  }

  entryChanged(parent: InodeId, name: Uint8Array): void {
    this.#fuse?.notifier.invalidateEntry(parent, name).catch((error: unknown) => log.warn(error, 'Cannot notify the kernel'));
  }

  inodeChanged(inode: InodeId): void {
    this.#fuse?.notifier.invalidateInode(inode).catch((error: unknown) => log.warn(error, 'Cannot notify the kernel'));
  }
}
