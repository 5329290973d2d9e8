/** `s3ql get`: from the file system to this machine. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopySummary } from '../../cli/run-direct.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import { errnoText } from '../../util/errno-text.ts';
import { UserError } from '../../util/errors.ts';
import type { Interaction } from '../../util/interaction.ts';
import { CopyOut } from './copy-out.ts';
import { CopyReport } from './copy-report.ts';
import { FileErrors } from './file-errors.ts';
import { baseName, joinPath, resolvePath } from './paths.ts';

/** Copies to the target: into it if it is a directory, else, if there is one source, to that name. @throws UserError */
export async function getFiles(
  fileSystem: FileSystem,
  sources: readonly string[],
  target: string,
  { progress, signal }: Pick<Interaction, 'progress' | 'signal'>,
): Promise<CopySummary> {
  const into = await isDirectoryHere(target);
  if (!into && sources.length > 1) throw new UserError(`${target} is not a directory`);
  if (!into && !(await isDirectoryHere(join(target, '..')))) throw new UserError(`${join(target, '..')} is not an existing directory`);
  const errors = new FileErrors(signal);
  using step = progress.step('Copying', 'files');
  const report = new CopyReport(step);
  const copy = new CopyOut({ fileSystem, errors, report, signal });
  for (const path of sources.map((text) => Buffer.from(text))) {
    try {
      const inode = resolvePath(fileSystem, path, false);
      const name = baseName(path);
      const bytes = Buffer.from(target);
      await copy.copy(inode, into && name.length > 0 ? joinPath(bytes, name) : bytes);
    } catch (error) {
      errors.add(path, error);
    }
  }
  return report.summary(errors.count);
}

async function isDirectoryHere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new UserError(`${path}: ${errnoText(error) ?? 'cannot be read'}`, 1, { cause: error });
  }
}
