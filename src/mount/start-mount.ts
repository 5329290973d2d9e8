/**
 * A mount from beginning to end: the file system opened, the kernel mount served; and back in reverse order, until everything is in the store.
 */
import { type Connect, connect } from '../backends/connect.ts';
import { mountSpec } from '../cli/options/mount.ts';
import type { MountRequest } from '../cli/run-mount.ts';
import { ControlFile } from '../filesystem/control-file.ts';
import type { FileSystem } from '../filesystem/file-system.ts';
import { MountError } from '../fuse/kernel-mount.ts';
import { type FuseMount, mountFuse } from '../fuse/mount.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { InodeId } from '../metadata/types.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { answerTool } from './answer-tool.ts';
import { controlActions, type KernelCaches } from './control-actions.ts';
import { FuseAdapter } from './fuse-adapter.ts';
import { atimePolicy, directoryAtimePolicy, fuseFeatures, kernelMountOptions } from './kernel-options.ts';
import { openFileSystem, type OpenFileSystem } from './open-file-system.ts';
import type { RunningMount } from './running-mount.ts';
import type { WriteGate } from './write-gate.ts';

const EXIT_MOUNT_FAILED = 39;

const log = logger('mount');

/** @throws UserError with the documented exit codes; then nothing is mounted and the file system is as before */
export async function startMount(request: MountRequest, interaction: Interaction, connectStore: Connect = connect): Promise<RunningMount> {
  await using resources = new AsyncDisposableStack();
  const opened = resources.use(
    await openFileSystem(
      { ...request, program: mountSpec.program, atimePolicy: atimePolicy(request), directoryAtimePolicy: directoryAtimePolicy(request) },
      interaction,
      connectStore,
    ),
  );
  const { fileSystem, database, blocks, uploads, backend, gate, health, limits, superblock } = opened;
  const kernel = new NotifiedKernel();
  const controlFile = new ControlFile(
    controlActions({
      fileSystem,
      database,
      blocks,
      uploads,
      store: backend,
      kernel,
      gate,
      health,
      maxCacheEntries: limits.entryCount,
      eventsPath: request.eventsPath,
      progress: interaction.progress,
    }),
  );
  log.info('Mounting filesystem...');
  const { url } = request.storage.backend;
  const fuse = await mountKernel(request, url, superblock, { fileSystem, controlFile, gate, kernel }).catch(async (error: unknown) => {
    await opened.giveBack(interaction.progress);
    throw error;
  });
  kernel.connect(fuse);
  // Larger reads of the kernel; only root may ask for them, and without it everything works too.
  await fuse.setReadAhead().catch((error: unknown) => log.debug(error, 'Read-ahead of the kernel stays as it is'));
  opened.start();

  resources.move();
  const ended = serveUntilEnd(fuse, opened, interaction);
  return { mountpoint: fuse.mountpoint, ended, unmount: () => unmount(fuse), answer: (name) => answerTool(name, request, opened) };
}

async function mountKernel(
  request: MountRequest,
  url: string,
  superblock: Superblock,
  served: { readonly fileSystem: FileSystem; readonly controlFile: ControlFile; readonly gate: WriteGate; readonly kernel: NotifiedKernel },
): Promise<FuseMount> {
  const uid = process.getuid?.() ?? 0;
  const features = fuseFeatures(request);
  try {
    return await mountFuse({
      ...kernelMountOptions(request, url),
      handlers: new FuseAdapter({
        ...served,
        generation: superblock.inodeGeneration,
        ownerUid: uid,
        ownerGid: process.getgid?.() ?? 0,
        kernelChecksPermissions: features.posixAcl === true,
        forgetAttributes: (inode) => served.kernel.attributesChanged(inode),
      }),
      session: {
        features,
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
async function serveUntilEnd(fuse: FuseMount, opened: OpenFileSystem, { progress }: Interaction): Promise<{ exitCode: number }> {
  let exitCode = 0;
  try {
    await fuse.ended.catch((error: unknown) => {
      log.error(error, 'The connection to the kernel failed; storing what there is');
      exitCode = 1;
    });
    log.info('Unmounted; storing what is not stored yet...');
    await opened.finish(progress);
    log.info('All data and metadata are in the store.');
  } catch (error) {
    const fate = opened.gate.isClosed('lost')
      ? 'Another machine has the file system: what this one had not stored is kept in the cache directory, and set aside by the next mount here.'
      : 'Not everything could be stored. It is kept on this machine, and stored by the next mount.';
    log.error(error, fate);
    exitCode = 1;
  }
  try {
    await opened[Symbol.asyncDispose]();
  } catch (error) {
    log.error(error, 'Error while ending the mount');
    exitCode = 1;
  }
  return { exitCode };
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

  /** Resolves when the kernel knows. Its data stays: dropping that may have to wait for requests that wait for this one. */
  async attributesChanged(inode: InodeId): Promise<void> {
    await this.#fuse?.notifier.invalidateInode(inode, -1n);
  }
}
