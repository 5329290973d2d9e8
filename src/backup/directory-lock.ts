/** Only one program at a time makes or removes backups in a directory: flock(2) on the directory itself, so there is no file to leave behind. */
import { closeSync, constants, openSync } from 'node:fs';
import { directoryProblem } from './directory-problem.ts';
import { UserError } from '../util/errors.ts';
import { flockSync, LOCK_EX, LOCK_NB } from '../util/libc.ts';

export interface DirectoryLock extends Disposable {
  /** A process that inherits this descriptor holds the lock as well, until it ends. */
  readonly fd: number;
}

/** @throws UserError if another holds it */
export function lockDirectory(path: string): DirectoryLock {
  const fd = openDirectory(path);
  try {
    flockSync(fd, LOCK_EX | LOCK_NB);
  } catch (error) {
    closeSync(fd);
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    throw new UserError(`another process makes or removes backups in ${path}`, 1, { cause: error });
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw new UserError(directoryProblem(path, error), 1, { cause: error });
  }
}
