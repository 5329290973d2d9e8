/**
 * fsck.s3ql from beginning to end: the right copy of the metadata made ready, cached blocks stored, all checks run, the result stored as a
 * new generation. Until that is complete in the store, the file system counts as mounted here, and fsck can be run again.
 */
import { type Connect, connect } from '../backends/connect.ts';
import { cleanUpBackend } from '../backends/open-backend.ts';
import { storeCachedBlocks } from '../check/cached-blocks.ts';
import { Findings } from '../check/findings.ts';
import { explainDamage } from '../check/integrity.ts';
import { keepNewerObjects } from '../check/kept-objects.ts';
import { ObjectListing } from '../check/object-listing.ts';
import { compact, makeReadable, runChecks } from '../check/run-checks.ts';
import { fsckSpec } from '../cli/options/fsck.ts';
import type { CheckRequest, CheckResult } from '../cli/run-fsck.ts';
import { nextSeqNo } from '../metadata/generation-upload.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import { PieceDigests } from '../metadata/piece-digests.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { systemClock } from '../util/clock.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { beginWriting } from './begin-writing.ts';
import { chooseCheckSource, confirmTakeOver, prepareCheckSource } from './check-source.ts';
import type { LocalSuperblocks } from './choose-metadata.ts';
import { holdFileSystem } from './hold-file-system.ts';
import { LocalDirectory } from './local-directory.ts';
import { openStore } from './open-store.ts';
import { storeDatabase } from './store-database.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';
import { SEQ_NO_GAP } from './take-over.ts';
import { verifyGenerations } from './verify-generations.ts';

/** A file system that was checked more recently than that, and is clean, is not checked again. */
const CHECK_INTERVAL_SECONDS = 31 * 24 * 3600;
const DELETE_BATCH = 1000;

const log = logger('fsck');

export interface CheckInteraction extends Interaction {
  /** Asks a question that is no secret. */
  readonly ask: (question: string) => Promise<string>;
}

/** @throws UserError with the documented exit codes 40 to 45 */
export async function checkFileSystem(
  request: CheckRequest,
  interaction: CheckInteraction,
  connectStore: Connect = connect,
): Promise<CheckResult> {
  await using resources = new AsyncDisposableStack();
  const { storage, compress } = request;
  const { progress, signal } = interaction;
  const local = resources.use(new LocalDirectory(storage.cachedir, storage.backend.url));
  const store = await openStore(storage, compress, interaction, connectStore);
  resources.use(store.objects);
  const keeper = new SuperblockKeeper(local, store.objects, compress);
  const copies = await readCopies(keeper, local);
  const { batch, forceRemote } = request;
  const { ask } = interaction;
  const isMountedElsewhere = 'refuse' in chooseCheckSource(copies, store.superblock);
  if (isMountedElsewhere) await confirmTakeOver({ batch, forceRemote, ask });
  const lease = resources.use(
    await holdFileSystem({
      ...store,
      local,
      copies,
      program: fsckSpec.program,
      force: isMountedElsewhere,
      override: '--force-remote',
      signal,
    }),
  );
  // What the store says now that nobody else may begin.
  const remote = await fetchSuperblock(store.objects, { signal });
  const choice = chooseCheckSource(copies, remote);
  const localCounts = 'use' in choice && choice.use !== 'store';
  const wasMounted = remote.isMounted || (localCounts && copies?.written.isMounted === true);
  const wasDamaged = remote.needsFsck || (localCounts && copies?.written.needsFsck === true);
  const needed = wasMounted || wasDamaged || (localCounts && choice.use === 'recovered-local');
  if (!needed && !request.force && Date.now() / 1000 - remote.lastFsckSeconds < CHECK_INTERVAL_SECONDS) {
    return { state: 'clean', lastFsckSeconds: remote.lastFsckSeconds };
  }

  const connectionLimit = storage.backend.maxConnections;
  const findings = new Findings();
  const source = { local, objects: store.objects, remote, batch, forceRemote, connectionLimit, ask, interaction };
  const damage = await prepareCheckSource(choice, source);
  for (const problem of damage) findings.repaired('damage of the metadata database', problem);
  if (!request.fast) await reportGenerations(findings, await verifyGenerations(local, store.objects, connectionLimit, interaction));

  const superblock: Superblock = {
    ...remote,
    seqNo: (await nextSeqNo(local, remote, copies?.written)) + (isMountedElsewhere ? SEQ_NO_GAP : 0),
    isMounted: true,
    // Interrupted after a crash only, a check leaves what a mount recovers by itself.
    needsFsck: wasDamaged,
    lastModifiedSeconds: Date.now() / 1000,
  };
  const { guard, objects } = await beginWriting({ lease, keeper, objects: store.objects, superblock, signal });
  resources.use(guard).start();
  const removals = new Set<ObjectId>();
  await explainDamage(async () => {
    const lastHandedOutId = makeReadable(local.databasePath, findings);
    const listing = await ObjectListing.load(objects, { progress, signal });
    keepNewerObjects(local.databasePath, lastHandedOutId, listing.highestId);
    const storedCount = await storeCachedBlocks({
      segmentsPath: local.segmentsPath,
      databasePath: local.databasePath,
      blockSizeBytes: superblock.dataBlockSizeBytes,
      objects,
      compression: compress,
      connectionLimit,
      keep: request.keepCache,
      progress,
      signal,
    });
    if (storedCount > 0)
      findings.repaired('blocks that only the cache had', `${storedCount} blocks of the cache were not in the store: uploaded`);
    const temporary = await cleanUpBackend(storage.backend);
    if (temporary > 0) log.info('Removed %d temporary files of interrupted uploads.', temporary);
    await runChecks(local.databasePath, {
      findings,
      objects,
      listing,
      lastHandedOutId,
      blockSizeBytes: superblock.dataBlockSizeBytes,
      wasMounted,
      deleteOrphans: request.deleteOrphans,
      connectionLimit,
      removals,
      progress,
      signal,
      nowNs: systemClock()(),
    });
  });

  if (needed || findings.total > 0) {
    compact(local.databasePath);
    await PieceDigests.forget(local.piecesPath, superblock.metadataBlockSizeBytes);
  }
  const uncorrectable = findings.uncorrectableCount > 0;
  await storeDatabase({
    local,
    objects,
    keeper,
    compression: compress,
    connectionLimit,
    superblock,
    requireOwned: () => guard.check(),
    changes: { needsFsck: uncorrectable, ...(uncorrectable ? {} : { lastFsckSeconds: Date.now() / 1000 }) },
    progress,
    signal,
  });
  await deleteObjects(objects, [...removals], interaction);
  return {
    state: 'checked',
    counts: Object.fromEntries(findings.counts),
    findingCount: findings.total,
    uncorrectableCount: findings.uncorrectableCount,
  };
}

/** A local superblock that cannot be read is no reason not to check, but what it belongs to may be worth something. */
async function readCopies(keeper: SuperblockKeeper, local: LocalDirectory): Promise<LocalSuperblocks | undefined> {
  try {
    return await keeper.read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warn('%s What this machine had is kept in %s', error.message, local.setAside());
    return undefined;
  }
}

/** That of the newest generation is cured by what follows; of the others nothing is left to repair. */
async function reportGenerations(findings: Findings, damaged: Awaited<ReturnType<typeof verifyGenerations>>): Promise<void> {
  for (const { seqNo, problem, isNewest } of damaged) {
    if (isNewest)
      findings.repaired('damage of the stored metadata', `The newest metadata in the store is damaged, and uploaded anew: ${problem}`);
    else log.warn('Metadata generation %d cannot be gone back to: %s', seqNo, problem);
  }
}

/** Failing costs space, nothing else: the next check finds the rest. */
async function deleteObjects(objects: ObjectStore, ids: readonly ObjectId[], { progress, signal }: Interaction): Promise<void> {
  using step = progress.step('Deleting objects', 'objects');
  try {
    for (let done = 0; done < ids.length; done += DELETE_BATCH) {
      step.update({ done, total: ids.length });
      await objects.deleteMany(
        ids.slice(done, done + DELETE_BATCH).map((id) => `s3ql_data_${id}`),
        { signal },
      );
    }
  } catch (error) {
    log.warn(error, 'Cannot delete all objects that nothing refers to; the next check tries again');
  }
}
