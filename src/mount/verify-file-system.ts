/** s3ql_verify: whether the store has the objects of a file system that is not mounted. Changes nothing but its two lists, unless it is to repair. */
import { appendFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { repairObjects } from '../check/repair-objects.ts';
import { verifyObjects } from '../check/verify-objects.ts';
import { verifySpec } from '../cli/options/verify.ts';
import type { RepairSummary, VerifyRequest, VerifySummary } from '../cli/run-verify.ts';
import { nextSeqNo } from '../metadata/generation-upload.ts';
import type { ObjectId } from '../metadata/types.ts';
import { systemClock } from '../util/clock.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { beginWriting } from './begin-writing.ts';
import { storeDatabase } from './store-database.ts';
import { defaultThreadCount } from './thread-count.ts';
import { type HeldFileSystem, holdUnmounted, openUnmounted } from './unmounted-file-system.ts';

const log = logger('verify');

/** The lists are written as objects are found, so that an interrupted run leaves what it knows; empty ones are removed in the end. */
export async function verifyFileSystem(request: VerifyRequest, interaction: Interaction): Promise<VerifySummary> {
  const { storage, compress, missingFile, corruptedFile } = request;
  for (const path of [missingFile, corruptedFile]) requireEmpty(path);
  await using resources = new AsyncDisposableStack();
  // Whoever repairs keeps everybody else away from the beginning: what was found must still be so then.
  const held = request.repair ? resources.use(await holdUnmounted(storage, compress, interaction, verifySpec.program)) : undefined;
  const fileSystem = held ?? resources.use(await openUnmounted(storage, compress, interaction));
  const { progress, signal } = interaction;
  for (const path of [missingFile, corruptedFile]) createList(path);
  const bad = new Set<ObjectId>();
  const result = await verifyObjects({
    databasePath: fileSystem.local.databasePath,
    objects: fileSystem.objects,
    blockSizeBytes: fileSystem.superblock.dataBlockSizeBytes,
    data: request.data,
    startWith: request.startWith,
    sample: request.sample,
    random: Math.random,
    concurrency: storage.backend.maxConnections + (request.data ? (storage.maxThreads ?? defaultThreadCount(compress)) : 0),
    onMissing: (key, id) => {
      log.warn('Object %s is missing in the store', key);
      appendFileSync(missingFile, `${key}\n`);
      bad.add(id);
    },
    onCorrupted: (key, id, problem) => {
      log.warn('Object %s is damaged: %s', key, problem);
      appendFileSync(corruptedFile, `${key}\n`);
      bad.add(id);
    },
    progress,
    signal,
  });
  if (result.missingCount === 0) rmSync(missingFile);
  if (result.corruptedCount === 0) rmSync(corruptedFile);
  if (held === undefined || bad.size === 0) return result;
  return { ...result, repair: await repair(request, held, bad, interaction) };
}

/** Until the new generation is complete the file system counts as mounted here: interrupted, the next mount goes on with what was changed. */
async function repair(
  { storage, compress }: VerifyRequest,
  held: HeldFileSystem,
  bad: ReadonlySet<ObjectId>,
  { progress, signal }: Interaction,
): Promise<RepairSummary> {
  const { local, keeper, lease } = held;
  const superblock = {
    ...held.superblock,
    seqNo: await nextSeqNo(local, held.superblock),
    isMounted: true,
    lastModifiedSeconds: Date.now() / 1000,
  };
  const { guard, objects } = await beginWriting({ lease, keeper, objects: held.objects, superblock, signal });
  using _guard = guard;
  guard.start();
  const { databasePath, segmentsPath } = local;
  const { storedAgainCount, damagedFileCount, givenUp } = await repairObjects({
    databasePath,
    segmentsPath,
    objects,
    compression: compress,
    bad,
    nowNs: systemClock()(),
    progress,
    signal,
  });
  await storeDatabase({
    local,
    objects,
    keeper,
    compression: compress,
    connectionLimit: storage.backend.maxConnections,
    superblock,
    requireOwned: () => guard.check(),
    progress,
    signal,
  });
  try {
    await objects.deleteMany(givenUp.map((id) => `s3ql_data_${id}`));
  } catch (error) {
    log.warn(error, 'Cannot delete all damaged objects that nothing refers to any more: fsck.s3ql finds them');
  }
  return { storedAgainCount, lostCount: givenUp.length, damagedFileCount };
}

/** @throws UserError if it holds anything */
function requireEmpty(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0) throw new UserError(`${path} exists and is not empty: remove it, or name another file.`);
}

function createList(path: string): void {
  try {
    writeFileSync(path, '');
  } catch (error) {
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`, 1, { cause: error });
  }
}
