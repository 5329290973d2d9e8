/**
 * A backup into a directory of a mounted file system: the last one is copied by reference, rsync brings the copy up to date, and what is
 * finished gets the date as its name and becomes immutable.
 *
 * What a run was interrupted in is found by its name: a snapshot that is not complete is removed; a backup that rsync has not finished is
 * gone on with; a finished one that is not immutable yet is made so when the next one starts from it.
 */
import { access, constants, lstat, mkdir, realpath, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlFile } from '../cli/control-file.ts';
import { copyTree } from '../cli/copy-tree.ts';
import { removeTree } from '../cli/remove-tree.ts';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { type BackupName, listBackups, nextBackupName } from './backup-name.ts';
import { directoryProblem } from './directory-problem.ts';
import { RSYNC_PARTIAL, RSYNC_VANISHED, runRsync } from './rsync.ts';

export interface BackupRequest {
  /** As rsync takes it: with a slash at the end what is in the directory is copied, without one the directory; perhaps `host:path`. */
  readonly source: string;
  /** Absolute; where the backups are, locked by `lockFd`. */
  readonly directory: string;
  readonly lockFd: number;
  /** Further arguments of rsync. */
  readonly rsyncArguments: readonly string[];
  readonly oneFileSystem: boolean;
  /** Make the backup immutable. */
  readonly immutable: boolean;
  /** Finish the backup although files could not be read. */
  readonly keepGoing: boolean;
}

export interface MadeBackup {
  readonly name: BackupName;
  /** The one it started from; absent if there was none, or if an interrupted one was gone on with. */
  readonly previous?: BackupName;
  readonly resumed: boolean;
  /** False: files are missing in it that could not be read. */
  readonly complete: boolean;
}

const SNAPSHOT_NAME = '.s3ql-backup.snapshot';
const PARTIAL_NAME = '.s3ql-backup.partial';
/** Nobody sees a backup before it has the source's modes. */
const NEW_DIRECTORY_MODE = 0o700;
/** rsync compares times by the second unless it is told otherwise. */
const RSYNC_ARGUMENTS = ['-aHAX', '--modify-window=-1', '--numeric-ids', '--delete-during', '--delete-excluded', '--partial'];

const log = logger('backup');

/** @throws UserError; then what has been copied is kept, and the next run goes on with it */
export async function makeBackup(request: BackupRequest, progress: ProgressReporter, signal: AbortSignal): Promise<MadeBackup> {
  const { source, directory } = request;
  const control = await ControlFile.find(directory);
  await requireSource(source, directory);
  const names = await listBackups(directory);
  const name = await nextBackupName(new Set(names), signal);
  const previous = newest(names, name);
  const partial = join(directory, PARTIAL_NAME);
  const resumed = await exists(partial);
  if (resumed) log.info('Going on with the backup that was interrupted');
  else await begin(request, partial, previous, control);

  const complete = await update(request, partial, progress, signal);
  if (previous !== undefined && name < previous) log.warn('The clock was set back: the last backup is of %s', previous);
  await rename(partial, join(directory, name));
  if (request.immutable) await lock(control, join(directory, name));
  return { name, resumed, complete, ...(resumed || previous === undefined ? {} : { previous }) };
}

/** A copy of the last backup, or an empty directory, at `partial`. */
async function begin(
  { directory, immutable }: BackupRequest,
  partial: string,
  previous: BackupName | undefined,
  control: ControlFile,
): Promise<void> {
  const snapshot = join(directory, SNAPSHOT_NAME);
  // Left by a run that ended while the mount was copying.
  if (await exists(snapshot)) await removeTree(snapshot);
  if (previous === undefined) {
    await mkdir(partial, { mode: NEW_DIRECTORY_MODE }).catch((error: unknown) => {
      throw new UserError(directoryProblem(partial, error), 1, { cause: error });
    });
    return;
  }
  log.info('Starting from a copy of %s', previous);
  await copyTree(join(directory, previous), snapshot);
  if (immutable) await lock(control, join(directory, previous));
  await rename(snapshot, partial);
}

/** Returns whether everything was copied. */
async function update(request: BackupRequest, partial: string, progress: ProgressReporter, signal: AbortSignal): Promise<boolean> {
  const { source, rsyncArguments, oneFileSystem, keepGoing, lockFd } = request;
  using step = progress.step('Copying what changed');
  const args = [...RSYNC_ARGUMENTS, ...(oneFileSystem ? ['-x'] : []), ...rsyncArguments, '--', source, `${partial}/`];
  const { exitCode, complaint } = await runRsync(args, {
    signal,
    inheritedFd: lockFd,
    onProgress: (bytesDone) => step.update({ bytesDone }),
  });
  if (exitCode === RSYNC_VANISHED) log.warn('Some files vanished before they could be copied');
  if (exitCode !== RSYNC_PARTIAL) return true;
  if (keepGoing) return false;
  throw new UserError(
    `not everything could be copied (${complaint}): the unfinished backup is kept, and the next run goes on with it; --keep-going finishes it without those files`,
  );
}

async function lock(control: ControlFile, path: string): Promise<void> {
  const { ino } = await lstat(path, { bigint: true });
  await control.lockTree({ path, inode: ino });
}

/** The last that is not of the future, if there is one. */
function newest(names: readonly BackupName[], present: BackupName): BackupName | undefined {
  return names.findLast((name) => name < present) ?? names.at(-1);
}

/** @throws UserError for a local source that does not exist, may not be read, or holds the backups themselves */
async function requireSource(source: string, directory: string): Promise<void> {
  if (isRemote(source)) return;
  try {
    await access(source, constants.R_OK);
  } catch (error) {
    throw new UserError(directoryProblem(source, error), 1, { cause: error });
  }
  const [path, target] = await Promise.all([realpath(source), realpath(directory)]);
  const [from, to] = await Promise.all([stat(path), stat(target)]);
  const contains = (outer: string, inner: string): boolean => `${inner}/`.startsWith(outer === '/' ? '/' : `${outer}/`);
  if (contains(target, path) || (from.dev === to.dev && contains(path, target))) {
    throw new UserError(`${source} cannot be backed up into ${directory}: one of them contains the other`);
  }
}

/** As rsync decides: a colon before the first slash. */
function isRemote(source: string): boolean {
  return /^[^/]*:/.test(source);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw new UserError(directoryProblem(path, error), 1, { cause: error });
    },
  );
}
