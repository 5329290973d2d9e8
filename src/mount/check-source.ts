/**
 * Which copy of the metadata fsck works on, and getting it ready: as for a mount (choose-metadata.ts), but what a mount refuses is what fsck
 * is for. What may lose data needs a person's word, or an option that stands for it.
 */
import { existsSync } from 'node:fs';
import { EXIT_DATABASE_DAMAGED, requireIntegrity } from '../check/integrity.ts';
import { DamagedGenerationError, downloadGeneration, downloadRemains } from '../metadata/generation-download.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { chooseMetadata, type LocalSuperblocks, type MetadataChoice } from './choose-metadata.ts';
import type { LocalDirectory } from './local-directory.ts';

const EXIT_INPUT_NEEDED = 41;
const EXIT_USER_ABORTED = 42;
export const CONFIRMATION = 'continue, I know what I am doing';

const MISSING = 'The local copy of the metadata, which is newer than the store, is missing (--force-remote does without it).';

const log = logger('fsck');

export interface Confirmation {
  readonly batch: boolean;
  readonly forceRemote: boolean;
  /** Asks a question and returns the answer. */
  readonly ask: (question: string) => Promise<string>;
}

export interface CheckSourceOptions extends Confirmation {
  readonly local: LocalDirectory;
  readonly objects: ObjectStore;
  readonly remote: Superblock;
  readonly connectionLimit: number;
  readonly interaction: Pick<Interaction, 'progress' | 'signal'>;
}

/** What a mount would do, were the file system not marked as damaged. */
export function chooseCheckSource(copies: LocalSuperblocks | undefined, remote: Superblock): MetadataChoice {
  const local = copies && {
    written: { ...copies.written, needsFsck: false },
    confirmed: copies.confirmed && { ...copies.confirmed, needsFsck: false },
  };
  return chooseMetadata(local, { ...remote, needsFsck: false });
}

/** For a file system that another machine has mounted. @throws UserError exit 41, 42 */
export function confirmTakeOver(options: Confirmation): Promise<void> {
  return confirm(
    options,
    'The file system is marked as mounted elsewhere, and this machine has no newer copy of the metadata. If it is still mounted there, ' +
      'YOU MAY LOSE ALL DATA by going on. If that mount crashed, what it had not stored is lost unless it is mounted (or checked) there.',
  );
}

/**
 * Afterwards the local database is the one to check, and whole. A file system that is mounted elsewhere is taken as the store has it: see
 * confirmTakeOver. Returns what was wrong with it, for the report.
 * @throws UserError exit 41, 42, 43
 */
export async function prepareCheckSource(choice: MetadataChoice, options: CheckSourceOptions): Promise<string[]> {
  const { local } = options;
  if ('use' in choice && choice.use !== 'store') {
    try {
      if (!existsSync(local.databasePath)) throw new UserError(MISSING, EXIT_DATABASE_DAMAGED);
      log.info(choice.use === 'local' ? 'Using cached metadata.' : 'Using the local copy of the metadata, which is newer than the store.');
      return reindexed(local);
    } catch (error) {
      // A copy of what the store has can be had again; one that is newer is given up only on request.
      if (!(error instanceof UserError) || (choice.use !== 'local' && !options.forceRemote)) throw error;
      log.warn('%s Using the metadata in the store.', error.message);
      if (choice.use === 'local') local.clear();
      else keepAside(local);
    }
  } else if ('refuse' in choice) {
    if (existsSync(local.paramsPath)) keepAside(local);
  } else if (choice.setAside) {
    log.warn(
      'The file system was used elsewhere since a mount here crashed. What that mount had not stored is kept in %s',
      local.setAside(),
    );
  } else local.clear();
  return download(options);
}

function keepAside(local: LocalDirectory): void {
  log.warn('What this machine had of the file system is kept in %s', local.setAside());
}

async function download(options: CheckSourceOptions): Promise<string[]> {
  const { local, objects, remote, connectionLimit, interaction } = options;
  const request = { store: objects, paths: local, superblock: remote, connectionLimit, ...interaction };
  log.info('Downloading metadata...');
  try {
    await downloadGeneration(request);
    return reindexed(local);
  } catch (error) {
    if (!(error instanceof DamagedGenerationError)) throw error;
    await confirm(options, `${error.message} Going on repairs what is left, and MAY LOSE DATA.`);
  }
  const missing = await downloadRemains(request);
  return [`Metadata generation ${remote.seqNo} was damaged in the store: ${missing.length} pieces are missing`, ...reindexed(local)];
}

function reindexed(local: LocalDirectory): string[] {
  return requireIntegrity(local.databasePath).reindexed ? ['Indexes of the metadata database were damaged'] : [];
}

async function confirm({ batch, forceRemote, ask }: Confirmation, danger: string): Promise<void> {
  log.warn('%s', danger);
  if (forceRemote) return;
  if (batch)
    throw new UserError(`${danger} A confirmation is needed: run fsck.s3ql without --batch, or with --force-remote.`, EXIT_INPUT_NEEDED);
  const answer = await ask(`Enter "${CONFIRMATION}" to use the metadata in the store anyway:`);
  if (answer.trim() !== CONFIRMATION) throw new UserError('Aborted: nothing was changed.', EXIT_USER_ABORTED);
}
