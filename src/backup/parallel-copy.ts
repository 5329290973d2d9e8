/**
 * Copies trees with several rsyncs at once: what comes from an object store waits more than it works. The directories are made first, then
 * the files are copied in parallel, then the directories get the times and modes that the copying has changed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { writeFileLists } from './file-lists.ts';
import { RSYNC_PARTIAL, RSYNC_VANISHED, runRsync } from './rsync.ts';

export interface CopyRequest {
  /** Local; as rsync takes them: a slash at the end means what is in the directory. */
  readonly sources: readonly string[];
  /** As rsync takes it, perhaps `host:path`. */
  readonly target: string;
  readonly processCount: number;
  /** Keep owners, modes, times, hard links, ACLs and extended attributes. */
  readonly archive: boolean;
}

export interface CopySummary {
  readonly fileCount: number;
  readonly sizeBytes: number;
}

/** Names come from files, with a NUL after each; only what they name is copied. */
const LIST_ARGUMENTS = ['--from0', '--no-implied-dirs', '--relative'];
/** rsync compares times by the second unless it is told otherwise. */
const ARCHIVE_ARGUMENTS = ['-lptgoD', '-HAX', '--modify-window=-1'];
/** Files can be made in directories that are going to be read-only. */
const WRITABLE_DIRECTORIES = '--chmod=Du+rwx';

const log = logger('pcp');

/** @throws UserError if any part failed; all others have been copied then */
export async function copyInParallel(request: CopyRequest, progress: ProgressReporter, signal: AbortSignal): Promise<CopySummary> {
  const total = { fileCount: 0, sizeBytes: 0 };
  const failures: string[] = [];
  for (const source of request.sources) {
    const { fileCount, sizeBytes } = await copyOne(request, source, failures, progress, signal);
    total.fileCount += fileCount;
    total.sizeBytes += sizeBytes;
  }
  if (failures.length > 0) throw new UserError(`not everything could be copied: ${[...new Set(failures)].join('; ')}`);
  return total;
}

async function copyOne(
  { target, processCount, archive }: CopyRequest,
  source: string,
  failures: string[],
  progress: ProgressReporter,
  signal: AbortSignal,
): Promise<CopySummary> {
  const [base, name] = source.endsWith('/') ? [resolve(source), '.'] : [dirname(resolve(source)), basename(resolve(source))];
  const listDirectory = await mkdtemp(join(tmpdir(), 's3ql-pcp-'));
  try {
    const lists = await writeFileLists(base, name, processCount, listDirectory, signal);
    failures.push(...lists.problems);
    using step = progress.step('Copying');
    const doneBytes = new Map<string, number>();
    const copy = async (list: string, args: readonly string[]): Promise<void> => {
      const onProgress = (bytes: number): void => {
        doneBytes.set(list, bytes);
        step.update({ bytesDone: doneBytes.values().reduce((sum, done) => sum + done, 0), bytesTotal: lists.sizeBytes });
      };
      const { exitCode, complaint } = await runRsync([...LIST_ARGUMENTS, `--files-from=${list}`, ...args, '--', `${base}/`, target], {
        signal,
        onProgress,
      });
      if (exitCode === RSYNC_VANISHED) log.warn('Some files vanished before they could be copied');
      if (exitCode === RSYNC_PARTIAL) failures.push(complaint);
    };

    const attributes = archive ? ARCHIVE_ARGUMENTS : ['-l'];
    await copy(lists.directories, ['--dirs', ...attributes, WRITABLE_DIRECTORIES]);
    const outcomes = await Promise.allSettled(lists.files.map((list) => copy(list, [...attributes, '--omit-dir-times', '--partial'])));
    signal.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push((outcome.reason as Error).message);
    if (archive) await copy(lists.directories, ['--dirs', ...attributes]);
    return lists;
  } finally {
    await rm(listDirectory, { recursive: true });
  }
}
