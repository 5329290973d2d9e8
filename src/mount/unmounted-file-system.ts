/** A file system that is not mounted, for commands that look at its metadata or change it: locked here, whole, and its metadata on this machine. */
import type { StorageSettings } from '../cli/storage-settings.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import { writeLocalSuperblock } from '../metadata/local-state.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import type { LocalSuperblocks } from './choose-metadata.ts';
import { holdFileSystem } from './hold-file-system.ts';
import type { Lease } from './lease.ts';
import { LocalDirectory } from './local-directory.ts';
import { type OpenStore, openStore } from './open-store.ts';
import { prepareMetadata } from './prepare-metadata.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';

const EXIT_NOT_CLEAN = 30;

export interface UnmountedFileSystem extends AsyncDisposable {
  readonly local: LocalDirectory;
  readonly objects: ObjectStore;
  readonly keeper: SuperblockKeeper;
  readonly superblock: Superblock;
}

export interface HeldFileSystem extends UnmountedFileSystem {
  readonly lease: Lease;
}

/** @throws UserError exit 30 (not clean), 31 (mounted elsewhere), 40 (mounted here) */
export async function openUnmounted(
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Interaction,
): Promise<UnmountedFileSystem> {
  await using resources = new AsyncDisposableStack();
  const opened = await openParts(resources, storage, compression, interaction);
  return await prepared(opened, opened.store.superblock, resources, interaction);
}

/** The same, and everybody else is kept away from it while `program` changes it. @throws as openUnmounted */
export async function holdUnmounted(
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Interaction,
  program: string,
): Promise<HeldFileSystem> {
  await using resources = new AsyncDisposableStack();
  const opened = await openParts(resources, storage, compression, interaction);
  const { signal } = interaction;
  const hold = { force: false, override: 'mount.s3ql --take-over', signal };
  const lease = resources.use(await holdFileSystem({ ...opened.store, ...opened, program, ...hold }));
  // What the store says now that nobody else may begin.
  const superblock = await fetchSuperblock(opened.store.objects, { signal });
  return { ...(await prepared(opened, superblock, resources, interaction)), lease };
}

interface OpenParts {
  readonly store: OpenStore;
  readonly local: LocalDirectory;
  readonly keeper: SuperblockKeeper;
  readonly copies: LocalSuperblocks | undefined;
}

async function openParts(
  resources: AsyncDisposableStack,
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Interaction,
): Promise<OpenParts> {
  const local = resources.use(new LocalDirectory(storage.cachedir, storage.backend.url));
  const store = await openStore(storage, compression, interaction);
  resources.use(store.objects);
  const keeper = new SuperblockKeeper(local, store.objects, compression);
  return { store, local, keeper, copies: await keeper.read() };
}

async function prepared(
  { store, local, keeper, copies }: OpenParts,
  superblock: Superblock,
  resources: AsyncDisposableStack,
  interaction: Interaction,
): Promise<UnmountedFileSystem> {
  const { objects } = store;
  const { origin } = await prepareMetadata(local, objects, copies, superblock, interaction);
  if (origin === 'recovered') {
    throw new UserError('The file system was not unmounted cleanly: mount it, or run fsck.s3ql, first.', EXIT_NOT_CLEAN);
  }
  // The local database is that of this generation, downloaded or not.
  await writeLocalSuperblock(local, superblock);
  await keeper.confirm(superblock);
  const owned = resources.move();
  return { local, objects, keeper, superblock, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
