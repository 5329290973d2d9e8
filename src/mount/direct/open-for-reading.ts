/**
 * A file system opened to be read by a command, without a mount. Nothing in the store changes, and no lease is needed: what is read is one
 * complete generation of the metadata, whose objects stay as they are for as long as they exist. Objects that a mount elsewhere deletes meanwhile
 * give errors, never wrong data.
 *
 * On this machine the local directory's lock keeps mounts away for as long as it lasts.
 *
 * What was set aside when another machine took the file system over (prepare-metadata.ts) is read in the same way, with the blocks that were
 * never stored, and stays as it is: the store, which belongs to another state now, refuses every change.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBlockCache } from '../../blocks/open-block-cache.ts';
import type { DirectRequest } from '../../cli/run-direct.ts';
import { FileSystem } from '../../filesystem/file-system.ts';
import { downloadGeneration } from '../../metadata/generation-download.ts';
import { writeLocalSuperblock } from '../../metadata/local-state.ts';
import { SqliteMetadata } from '../../metadata/sqlite-metadata.ts';
import type { Superblock } from '../../metadata/superblock.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { UserError } from '../../util/errors.ts';
import type { Interaction } from '../../util/interaction.ts';
import { logger } from '../../util/log.ts';
import { cacheLimits } from '../cache-limits.ts';
import { chooseMetadata } from '../choose-metadata.ts';
import { LocalDirectory } from '../local-directory.ts';
import { openStore } from '../open-store.ts';
import { ReadOnlyObjectStore } from '../read-only-object-store.ts';
import { prepareMetadata } from '../prepare-metadata.ts';
import { SuperblockKeeper } from '../superblock-keeper.ts';

const EXIT_NOT_CLEAN = 30;
/** What is read once need not fill the disk. A cache that a mount left (--keep-cache) keeps its own size. */
const CACHE_BYTES = 1024 ** 3;

/** As late as a timer can be. */
const NEVER_MS = 2 ** 31 - 1;

const log = logger('direct');

export interface ReadableFileSystem extends AsyncDisposable {
  readonly fileSystem: FileSystem;
  /** The same metadata, for questions that only SQL answers well. */
  readonly databasePath: string;
}

interface Copy {
  readonly databasePath: string;
  readonly segmentsPath: string;
}

/** @throws UserError exit 30 (not clean here, or damaged), 40 (mounted here) */
export async function openForReading(
  { storage, compress, setAside }: DirectRequest,
  interaction: Interaction,
): Promise<ReadableFileSystem> {
  await using resources = new AsyncDisposableStack();
  const local = resources.use(new LocalDirectory(storage.cachedir, storage.backend.url));
  const { objects: store, superblock } = await openStore(storage, compress, interaction);
  resources.use(store);
  const objects = new ReadOnlyObjectStore(store);
  const copy =
    setAside === undefined
      ? await prepareCopy(local, store, superblock, new SuperblockKeeper(local, store, compress), interaction, resources)
      : copySetAside(setAside);

  const kept = hasSegments(copy.segmentsPath);
  const database = resources.use(new SqliteMetadata(copy.databasePath));
  const { cache } = await openBlockCache({
    directory: copy.segmentsPath,
    blockSizeBytes: superblock.dataBlockSizeBytes,
    database,
    objects,
    limits: cacheLimits({
      cacheSizeBytes: kept ? undefined : Math.max(CACHE_BYTES, 4 * storage.backend.maxConnections * superblock.dataBlockSizeBytes),
      maxCacheEntries: undefined,
      blockSizeBytes: superblock.dataBlockSizeBytes,
      directory: local.path,
    }),
    compression: compress,
    requestDurable: () => Promise.resolve(),
    // Only what was set aside has anything to upload.
    dirtyUploadDelayMs: NEVER_MS,
    log: {
      info: (message) => log.info('%s', message),
      warn: (message) => log.warn('%s', message),
      error: (message, error) => log.error(error, '%s', message),
    },
    maxDownloads: storage.backend.maxConnections,
  });
  resources.defer(() => cache.close({ keep: kept }));
  const fileSystem = new FileSystem({
    database,
    blocks: cache,
    atimePolicy: 'noatime',
    onBackgroundError: (error, what) => log.error(error, 'Error while %s', what),
  });
  const owned = resources.move();
  return { fileSystem, databasePath: copy.databasePath, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** @throws UserError if that is no such directory */
function copySetAside(directory: string): Copy {
  const databasePath = join(directory, 'metadata.db');
  if (!existsSync(databasePath)) throw new UserError(`${directory} holds nothing that a mount had: there is no ${databasePath}`);
  return { databasePath, segmentsPath: join(directory, 'segments') };
}

/** Whether a mount left cached blocks. */
function hasSegments(path: string): boolean {
  return existsSync(path) && readdirSync(path).some((name) => /^\d+$/.test(name));
}

async function prepareCopy(
  local: LocalDirectory,
  objects: ObjectStore,
  superblock: Superblock,
  keeper: SuperblockKeeper,
  interaction: Interaction,
  resources: AsyncDisposableStack,
): Promise<Copy> {
  const copies = await keeper.read();
  const choice = chooseMetadata(copies, superblock);
  if ('use' in choice && choice.use === 'recovered-local') {
    throw new UserError(
      'The last mount on this machine did not end cleanly: mount the file system here (or run fsck.s3ql) to recover what was not stored, then try again.',
      EXIT_NOT_CLEAN,
    );
  }
  if ('refuse' in choice && choice.refuse === 'mounted-elsewhere')
    return downloadSnapshot(local, objects, superblock, interaction, resources);
  await prepareMetadata(local, objects, copies, superblock, interaction);
  // The local database is that of this generation, downloaded or not.
  await writeLocalSuperblock(local, superblock);
  await keeper.confirm(superblock);
  return local;
}

/** A copy beside what this machine keeps of the file system, for as long as the command runs. */
async function downloadSnapshot(
  local: LocalDirectory,
  objects: ObjectStore,
  superblock: Superblock,
  { progress, signal }: Interaction,
  resources: AsyncDisposableStack,
): Promise<Copy> {
  log.warn(
    'The file system is mounted elsewhere, or the machine that had it mounted crashed: what is shown is the state that was stored on %s.',
    new Date(superblock.lastModifiedSeconds * 1000).toISOString(),
  );
  const directory = join(local.path, 'snapshot');
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // Of a command that was killed.
  remove();
  mkdirSync(directory, { mode: 0o700 });
  resources.defer(remove);
  const paths = {
    databasePath: join(directory, 'metadata.db'),
    paramsPath: join(directory, 'params'),
    piecesPath: join(directory, 'pieces'),
  };
  await downloadGeneration({ store: objects, paths, superblock, progress, signal });
  return { databasePath: paths.databasePath, segmentsPath: join(directory, 'segments') };
}
