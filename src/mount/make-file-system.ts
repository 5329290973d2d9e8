/** mkfs: an empty file system in a store. The superblock is written last: until then there is no file system, and mkfs can be run again. */
import { randomBytes } from 'node:crypto';
import type { MadeFileSystem, MkfsRequest } from '../cli/run-mkfs.ts';
import { mkfsSpec } from '../cli/options/mkfs.ts';
import { DEFAULT_COMPRESSION } from '../cli/options/mount.ts';
import type { Backend } from '../backends/backend.ts';
import { NoSuchObjectError } from '../backends/errors.ts';
import { type Connect, connect } from '../backends/connect.ts';
import { masterKeyEnvelope, plainEnvelope } from '../envelope/envelope.ts';
import { createDatabase } from '../metadata/create-database.ts';
import { uploadGeneration } from '../metadata/generation-upload.ts';
import { SUPERBLOCK_KEY } from '../metadata/object-keys.ts';
import { SnapshotWorker } from '../metadata/snapshot.ts';
import { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import { REVISION, type Superblock } from '../metadata/superblock.ts';
import { SealedObjectStore } from '../objects/sealed-object-store.ts';
import { systemClock } from '../util/clock.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { Lease } from './lease.ts';
import { LocalDirectory } from './local-directory.ts';
import { deleteMasterKey, MASTER_KEY_BYTES, writeMasterKey } from './master-key.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';
import { defaultThreadCount } from './thread-count.ts';

/** What every file system has, of this or an old revision. */
const FILE_SYSTEM_KEYS: readonly string[] = [SUPERBLOCK_KEY, 's3ql_metadata'];

const log = logger('mkfs');

/** @throws UserError exit 1 if there is a file system already */
export async function makeFileSystem(
  request: MkfsRequest,
  interaction: Interaction,
  connectStore: Connect = connect,
): Promise<MadeFileSystem> {
  await using resources = new AsyncDisposableStack();
  const { storage } = request;
  const local = resources.use(new LocalDirectory(storage.cachedir, storage.backend.url));
  const backend = await connectStore(storage.backend);
  resources.defer(() => backend[Symbol.asyncDispose]());
  await requireNoFileSystem(backend);
  const { signal } = interaction;
  // Given back before `resources` close the store.
  await using lease = await Lease.acquire({
    backend,
    path: local.leasePath,
    program: mkfsSpec.program,
    mountedElsewhere: () => Promise.resolve(false),
    force: false,
    override: '"s3qladm clear --take-over"',
    signal,
  });
  // Somebody may have been faster.
  await requireNoFileSystem(backend);

  let masterKey: Uint8Array | undefined;
  if (request.plain) {
    await deleteMasterKey(backend);
  } else {
    const passphrase =
      storage.fsPassphrase ??
      (await interaction.askSecret({ prompt: 'Enter encryption passphrase', confirmPrompt: 'Confirm encryption passphrase' }));
    log.info('Generating random encryption key...');
    masterKey = new Uint8Array(randomBytes(MASTER_KEY_BYTES));
    await writeMasterKey(backend, masterKey, passphrase);
  }

  log.info('Creating metadata tables...');
  local.clear();
  const { databasePath } = local;
  createDatabase(databasePath, { rootUid: process.getuid?.() ?? 0, rootGid: process.getgid?.() ?? 0, nowNs: systemClock()() });

  const compression = storage.compress ?? DEFAULT_COMPRESSION;
  const objects = new SealedObjectStore({
    backend,
    envelope: masterKey === undefined ? plainEnvelope() : masterKeyEnvelope(masterKey),
    maxThreads: storage.maxThreads ?? defaultThreadCount(compression),
  });
  resources.use(objects);
  using database = new SqliteMetadata(databasePath);
  await using worker = new SnapshotWorker(database);
  using snapshot = await worker.freeze(request.metadataBlockSizeBytes);
  const keeper = new SuperblockKeeper(local, objects, compression);
  await uploadGeneration({
    store: objects,
    paths: local,
    snapshot,
    superblock: newSuperblock(request),
    compression,
    publish: (published) => keeper.publish(published, { signal, requireOwned: () => lease.requireHeld() }),
    progress: interaction.progress,
    signal,
  });
  return masterKey === undefined ? {} : { masterKey };
}

function newSuperblock({ label, dataBlockSizeBytes, metadataBlockSizeBytes }: MkfsRequest): Superblock {
  const nowSeconds = Date.now() / 1000;
  return {
    dataBlockSizeBytes,
    metadataBlockSizeBytes,
    seqNo: Math.floor(nowSeconds),
    databaseSizeBytes: 0,
    revision: REVISION,
    label,
    needsFsck: false,
    isMounted: false,
    inodeGeneration: 0,
    lastFsckSeconds: nowSeconds,
    lastModifiedSeconds: nowSeconds,
    databaseDigestHex: '',
  };
}

async function requireNoFileSystem(backend: Backend): Promise<void> {
  for (const key of FILE_SYSTEM_KEYS) {
    try {
      await backend.stat(key);
    } catch (error) {
      if (error instanceof NoSuchObjectError) continue;
      throw error;
    }
    throw new UserError(
      `Refusing to overwrite the file system that is at ${backend.url} already. Use "s3qladm clear" if it is not wanted any more.`,
    );
  }
}
