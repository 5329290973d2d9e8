/** Removes what crashes left in a local store. Only for fsck, while nobody else uses the store. */
import type { Dirent } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, toBackendError } from './local-errors.ts';
import { DATA_DIRECTORY } from './object-path.ts';

const TEMPORARY_FILE = /#\d+-[^/]+\.tmp$/;

/** Removes temporary files and empty directories of data objects. Returns how many files. */
export async function cleanUpLocalStore(directory: string): Promise<number> {
  try {
    let removed = await removeTemporaryFiles(directory, await readdir(directory, { withFileTypes: true }));
    removed += await cleanUpDataDirectory(join(directory, DATA_DIRECTORY));
    return removed;
  } catch (error) {
    throw toBackendError(error, `clean up ${directory}`);
  }
}

async function cleanUpDataDirectory(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  let removed = await removeTemporaryFiles(directory, entries);
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    removed += await cleanUpDataDirectory(path);
    await rmdir(path).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    });
  }
  return removed;
}

async function removeTemporaryFiles(directory: string, entries: readonly Dirent[]): Promise<number> {
  const stale = entries.filter((entry) => entry.isFile() && TEMPORARY_FILE.test(entry.name));
  for (const entry of stale) await unlink(join(directory, entry.name));
  return stale.length;
}
