/** Directories with what lies above them. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the directory, and those above it that are missing; one that exists is left as it is. Not Node's `recursive`, which tries for ever where the
 * kernel says ENOENT although the parent exists: in /proc, and in directories that have been removed.
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || statSync(parent, { throwIfNoEntry: false }) !== undefined) throw error;
    makeDirectories(parent, mode);
    mkdirSync(path, { mode });
  }
}
