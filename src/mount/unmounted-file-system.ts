/** A file system that is not mounted, for commands that look at its metadata or change it: locked here, whole, and its metadata on this machine. */
import type { StorageSettings } from '../cli/storage-settings.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { writeLocalSuperblock } from '../metadata/local-state.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { LocalDirectory } from './local-directory.ts';
import { openStore } from './open-store.ts';
import { prepareMetadata } from './prepare-metadata.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';

const EXIT_NOT_CLEAN = 30;

export interface UnmountedFileSystem extends AsyncDisposable {
  readonly local: LocalDirectory;
  readonly objects: ObjectStore;
  readonly keeper: SuperblockKeeper;
  readonly superblock: Superblock;
}

/** @throws UserError exit 30 (not clean), 31 (mounted elsewhere), 40 (mounted here) */
export async function openUnmounted(
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Interaction,
): Promise<UnmountedFileSystem> {
  await using resources = new AsyncDisposableStack();
  const local = resources.use(new LocalDirectory(storage.cachedir, storage.backend.url));
  const { objects, superblock } = await openStore(storage, compression, interaction);
  resources.use(objects);
  const keeper = new SuperblockKeeper(local, objects, compression);
  const { origin } = await prepareMetadata(local, objects, await keeper.read(), superblock, interaction);
  if (origin === 'recovered') {
    throw new UserError('The file system was not unmounted cleanly: mount it, or run fsck.s3ql, first.', EXIT_NOT_CLEAN);
  }
  // The local database is that of this generation, downloaded or not.
  await writeLocalSuperblock(local, superblock);
  await keeper.confirm(superblock);
  const owned = resources.move();
  return { local, objects, keeper, superblock, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
