/**
 * `s3ql put`: from this machine to the file system, as its writer: with the lease, with what a crash left recovered, and with everything in the
 * store in the end, as after an unmount. Ctrl-C ends the copying, not the storing of what was copied.
 */
import { basename, resolve } from 'node:path';
import type { CopySummary, DirectRequest } from '../../cli/run-direct.ts';
import { isDirectory } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { InodeId } from '../../metadata/types.ts';
import { errnoText } from '../../util/errno-text.ts';
import { FsError, UserError } from '../../util/errors.ts';
import type { Interaction } from '../../util/interaction.ts';
import { logger } from '../../util/log.ts';
import { openForCommand } from '../open-for-command.ts';
import { CopyIn } from './copy-in.ts';
import { CopyReport } from './copy-report.ts';
import { FileErrors } from './file-errors.ts';
import { baseName, parentPath, resolvePath } from './paths.ts';

const log = logger('direct');

/** Copies to the target: into it if it is a directory, else, if there is one source, to that name. @throws UserError, what openForCommand throws */
export async function putFiles(
  request: DirectRequest,
  sources: readonly string[],
  target: string,
  interaction: Interaction,
): Promise<CopySummary> {
  await using opened = await openForCommand(request, 's3ql put', interaction);
  const { fileSystem, gate } = opened;
  const { progress, signal } = interaction;
  opened.start();
  const errors = new FileErrors(signal);
  try {
    using step = progress.step('Copying', 'files');
    const report = new CopyReport(step);
    const copy = new CopyIn({ fileSystem, gate, errors, report, signal });
    const { parent, name } = placeFor(fileSystem, Buffer.from(target), sources.length > 1);
    for (const source of sources) await copy.copy(Buffer.from(source), parent, name ?? Buffer.from(basename(resolve(source))));
    return report.summary(errors.count);
  } finally {
    if (signal.aborted) log.warn('Interrupted: storing what was copied so far...');
    await opened.finish(progress).catch((error: unknown) => {
      log.error('Not everything could be stored. It is kept on this machine, and stored by the next mount or put.');
      throw error;
    });
  }
}

/** Where copies go; without a name, under their own. @throws UserError */
function placeFor(fileSystem: FileSystem, target: Uint8Array, severalSources: boolean): { parent: InodeId; name?: Uint8Array } {
  const text = Buffer.from(target).toString();
  try {
    const existing = resolvePath(fileSystem, target, true);
    if (isDirectory(existing.mode)) return { parent: existing.id };
    if (severalSources) throw new UserError(`${text} is not a directory in the file system`);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    if (error.code !== 'ENOENT' || severalSources) throw notThere(text, error);
  }
  const name = baseName(target);
  try {
    const directory = resolvePath(fileSystem, parentPath(target), true);
    return { parent: directory.id, name };
  } catch (error) {
    throw notThere(text, error);
  }
}

function notThere(path: string, cause: unknown): UserError {
  return new UserError(`${path} in the file system: ${errnoText(cause) ?? String(cause)}`, 1, { cause });
}
