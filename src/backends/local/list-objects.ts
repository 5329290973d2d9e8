import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stat } from './files.ts';
import { errorCode } from './local-errors.ts';
import { escapeKey, keyOfPath, mayHoldPrefix } from './object-path.ts';

/**
 * The keys of all objects below `root` that begin with the prefix. Reads a directory at a time, of which the layout has none with more than
 * some thousand entries.
 */
export async function* listObjects(root: string, prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
  const escapedPrefix = escapeKey(prefix);
  const directories = [''];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(root, directory)) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (await isDirectory(entry, join(root, path))) {
        if (mayHoldPrefix(path, escapedPrefix)) directories.push(path);
      } else {
        const key = keyOfPath(path);
        if (key?.startsWith(prefix) === true) yield key;
      }
    }
  }
}

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

async function entriesOf(root: string, directory: string): Promise<Entry[]> {
  try {
    return await readdir(join(root, directory), { withFileTypes: true });
  } catch (error) {
    // fsck of another process may have removed an empty directory meanwhile; a missing root is an error.
    if (directory !== '' && errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function isDirectory(entry: Entry, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
