/**
 * Copying as s3qlcp does it: the target directory is made, everything that programs have written is handed to the mount, and the mount copies
 * within its metadata. Either all of it is copied or the target is gone again.
 */
import { lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../util/errors.ts';
import { syncfs } from '../util/libc.ts';
import { logger } from '../util/log.ts';
import { ControlFile } from './control-file.ts';
import { EXIT_ERROR } from './exit-codes.ts';
import type { Output } from './output.ts';
import { withMountProgress } from './with-mount-progress.ts';
import { refuseMountpoints } from './tree-paths.ts';

const NEW_DIRECTORY_MODE = 0o700;

const log = logger('cp');

/** Both paths absolute. @throws UserError */
export async function copyTree(
  sourcePath: string,
  targetPath: string,
  output: Pick<Output, 'display'> = { display: undefined },
): Promise<void> {
  const control = await ControlFile.find(sourcePath);
  const source = await realpath(sourcePath);
  await refuseMountpoints(source);
  const sourceStats = await stat(source, { bigint: true });
  const parent = await targetDirectory(targetPath);
  if (parent.device !== sourceStats.dev) throw new UserError(`${targetPath} is not in the same file system as ${sourcePath}`, EXIT_ERROR);

  const target = join(parent.path, basename(targetPath));
  await makeDirectory(target);
  try {
    const { ino } = await lstat(target, { bigint: true });
    await writeOut(source);
    await withMountProgress(control, output, () =>
      control.copyTree({ path: source, inode: sourceStats.ino }, { path: target, inode: ino }),
    );
  } catch (error) {
    await control.removeTree(parent.inode, target).catch((removalError: unknown) => {
      log.warn(removalError, 'What was copied to %s is incomplete: remove it with s3qlrm', target);
    });
    throw error;
  }
}

async function targetDirectory(targetPath: string): Promise<{ path: string; inode: bigint; device: bigint }> {
  try {
    const path = await realpath(dirname(targetPath));
    const { ino, dev } = await stat(path, { bigint: true });
    return { path, inode: ino, device: dev };
  } catch (error) {
    throw cannotMake(targetPath, error);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    // Nobody gets to see a copy before it has the source's mode.
    await mkdir(path, { mode: NEW_DIRECTORY_MODE });
  } catch (error) {
    throw cannotMake(path, error);
  }
}

function cannotMake(path: string, cause: unknown): UserError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') return new UserError(`${path} exists already`, EXIT_ERROR, { cause });
  if (code === 'ENOENT' || code === 'ENOTDIR') return new UserError(`${dirname(path)} is not an existing directory`, EXIT_ERROR, { cause });
  if (code === 'EPERM') return new UserError(`${dirname(path)} is immutable: nothing can be copied there`, EXIT_ERROR, { cause });
  return new UserError(`${path} cannot be made: ${code}`, EXIT_ERROR, { cause });
}

/** The kernel reports each failure to write once, also those from before this command. */
async function writeOut(directory: string): Promise<void> {
  try {
    await using handle = await open(directory);
    await syncfs(handle.fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      `something that was written to the file system of ${directory} could not be kept (${code}), so the copy would lack it: run the command again to copy what is there`,
      EXIT_ERROR,
      { cause: error },
    );
  }
}
