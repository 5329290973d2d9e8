/**
 * s3qladm restore-metadata: goes back to an earlier generation of the metadata, on this machine only: the store is as before until fsck.s3ql
 * has made files and objects fit again.
 */
import { formatBytes } from '../../cli/format.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { downloadGeneration } from '../../metadata/generation-download.ts';
import { countFilesOfGenerations } from '../../metadata/generation-file-counts.ts';
import { nextSeqNo } from '../../metadata/generation-upload.ts';
import { fetchSuperblock, type Generation, listGenerations } from '../../metadata/generations.ts';
import { writeLocalSuperblock } from '../../metadata/local-state.ts';
import type { Superblock } from '../../metadata/superblock.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { UserError } from '../../util/errors.ts';
import { logger } from '../../util/log.ts';
import { chooseCheckSource } from '../check-source.ts';
import { holdForAction } from './hold-for-action.ts';
import { LocalDirectory } from '../local-directory.ts';
import { openObjects } from '../open-store.ts';
import { SuperblockKeeper } from '../superblock-keeper.ts';

const EXIT_NO_FILE_SYSTEM = 18;

const log = logger('adm');

/** @throws UserError if there is no such generation, or it is damaged; exit 31 if another machine uses the file system */
export async function restoreMetadata(request: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { storage, compress } = request;
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  const { objects, backend } = await openObjects(storage, compress, interaction);
  await using _objects = objects;
  const { signal, progress } = interaction;
  await using lease = await holdForAction({ request, objects, backend, local, signal });
  const connectionLimit = storage.backend.maxConnections;
  const generations = await listGenerations(objects, { connectionLimit, signal });
  if (generations.length === 0) throw new UserError(`No S3QL file system found at ${objects.url}.`, EXIT_NO_FILE_SYSTEM);
  const fileCounts = (): Promise<ReadonlyMap<number, number>> =>
    countFilesOfGenerations({ store: objects, directory: local.path, generations, connectionLimit, progress, signal });
  const chosen = await choose(generations, request.generation, fileCounts, interaction);
  const remote = await currentSuperblock(objects, signal);
  const keeper = new SuperblockKeeper(local, objects, compress);
  await makeRoom(local, keeper, remote);
  await downloadGeneration({ store: objects, paths: local, superblock: chosen, connectionLimit, progress, signal });
  const restored: Superblock = {
    ...chosen,
    seqNo: Math.max(Math.floor(Date.now() / 1000), await nextSeqNo(local, remote ?? chosen, generations[0]?.superblock)),
    needsFsck: true,
    isMounted: false,
    lastModifiedSeconds: Date.now() / 1000,
  };
  if (remote === undefined) {
    // There is nothing in its place that could be kept.
    await keeper.publish(restored, { signal, requireOwned: () => lease.requireHeld() });
  } else {
    await keeper.confirm(remote);
    await writeLocalSuperblock(local, restored);
  }
  return {
    text: `Metadata of generation ${chosen.seqNo} (${dateOf(chosen)}) is on this machine now. Run fsck.s3ql here to make it that of the file system.\n`,
    json: { restored: chosen.seqNo, needsFsck: true },
  };
}

/** As lines: index, generation, date, size, and the number of files where it is known. */
export function generationLines(generations: readonly Generation[], fileCounts: ReadonlyMap<number, number> = new Map()): string[] {
  return generations.map(({ seqNo, superblock, problem }, index) => {
    const count = fileCounts.get(seqNo);
    const files = count === undefined ? '' : `  ${count} files`;
    const what = superblock
      ? `${dateOf(superblock)}  ${formatBytes(superblock.databaseSizeBytes)}${files}${superblock.isMounted ? '  (while mounted)' : ''}`
      : `unusable: ${problem ?? 'unknown'}`;
    return `${String(index).padStart(4)}  ${seqNo}  ${what}\n`;
  });
}

async function choose(
  generations: readonly Generation[],
  wanted: number | undefined,
  countFiles: () => Promise<ReadonlyMap<number, number>>,
  { ask, print }: AdminInteraction,
): Promise<Superblock> {
  let generation: Generation | undefined;
  if (wanted === undefined) {
    print(`The following generations of the metadata are in the store:\n${generationLines(generations, await countFiles()).join('')}`);
    const answer = (await ask('Enter the index of the one to go back to:')).trim();
    generation = /^\d+$/.test(answer) ? generations[Number(answer)] : undefined;
  } else generation = generations.find(({ seqNo }) => seqNo === wanted);
  if (generation === undefined) throw new UserError('There is no such generation of the metadata: nothing was changed.');
  if (generation.superblock === undefined)
    throw new UserError(`Generation ${generation.seqNo} cannot be used: ${generation.problem ?? ''}`);
  return generation.superblock;
}

/** Undefined if it cannot be read. */
async function currentSuperblock(objects: ObjectStore, signal: AbortSignal): Promise<Superblock | undefined> {
  try {
    return await fetchSuperblock(objects, { signal });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Its message tells to do what is being done.
    const { message } = error.cause instanceof UserError ? error.cause : error;
    log.warn('%s', message);
    return undefined;
  }
}

/** What only this machine has is kept. */
async function makeRoom(local: LocalDirectory, keeper: SuperblockKeeper, remote: Superblock | undefined): Promise<void> {
  const copies = await keeper.read().catch(() => undefined);
  const choice = remote && chooseCheckSource(copies, remote);
  if (choice !== undefined && 'use' in choice && (choice.use === 'local' || (choice.use === 'store' && !choice.setAside))) local.clear();
  else log.info('What this machine had is kept in %s', local.setAside());
}

function dateOf({ lastModifiedSeconds }: Superblock): string {
  return new Date(lastModifiedSeconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
}
