/** Removing as s3qlrm does it: the mount takes a whole tree away, immutable or not. */
import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../util/errors.ts';
import { ControlFile } from './control-file.ts';
import { EXIT_ERROR } from './exit-codes.ts';
import type { Output } from './output.ts';
import { withMountProgress } from './with-mount-progress.ts';
import { refuseMountpoints } from './tree-paths.ts';

/** The path is absolute; a symbolic link at its end is removed, not followed. @throws UserError */
export async function removeTree(givenPath: string, output: Pick<Output, 'display'> = { display: undefined }): Promise<void> {
  await lstat(givenPath).catch((error: NodeJS.ErrnoException) => {
    // Anything else is explained where the control file is looked for.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      throw new UserError(`${givenPath} does not exist`, EXIT_ERROR, { cause: error });
    }
  });
  const directory = await realpath(dirname(givenPath)).catch(() => dirname(givenPath));
  const path = join(directory, basename(givenPath));
  await refuseMountpoints(path);
  const control = await ControlFile.find(directory);
  const { ino } = await lstat(directory, { bigint: true });
  await withMountProgress(control, output, () => control.removeTree(ino, path));
}
