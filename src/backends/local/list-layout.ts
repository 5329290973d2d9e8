/** Lists a store of local://'s layout (S3QL format 2.9) that lies where directories are read in another way than by the kernel. */
import { escapeKey, keyOfPath, mayHoldPrefix } from './object-path.ts';

export interface LayoutEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number | undefined;
}

export interface LayoutObject {
  readonly key: string;
  readonly sizeBytes: number | undefined;
}

/** Reads a directory of the store: `path` is relative to it. A missing directory other than the store's own is an empty one. */
export type ReadDirectory = (path: string) => Promise<readonly LayoutEntry[]>;

export async function* listLayout(
  readDirectory: ReadDirectory,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<LayoutObject> {
  const escapedPrefix = escapeKey(prefix);
  const directories = [''];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal?.throwIfAborted();
    for (const { name, isDirectory, sizeBytes } of await readDirectory(directory)) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (isDirectory) {
        if (mayHoldPrefix(path, escapedPrefix)) directories.push(path);
      } else {
        const key = keyOfPath(path);
        if (key?.startsWith(prefix) === true) yield { key, sizeBytes };
      }
    }
  }
}
