/**
 * What all targets are given, the same bytes in every run: a tree and its archive, many tiny files, random data. In memory (tmpfs) where
 * there is one with room, so that reading it costs the disk nothing.
 */
import { createCipheriv } from 'node:crypto';
import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtTheLatest } from '../clean-up.ts';
import { mustRun } from '../../tests/support/run-program.ts';
import { Random } from '../../tests/support/random.ts';

export interface DataSetSize {
  readonly treeFileCount: number;
  readonly tinyFileCount: number;
  readonly randomBytes: number;
  readonly fioBytes: number;
}

export const FULL_SIZE: DataSetSize = {
  treeFileCount: 20_000,
  tinyFileCount: 100_000,
  randomBytes: 2 * 1024 ** 3,
  fioBytes: 256 * 1024 ** 2,
};
export const QUICK_SIZE: DataSetSize = { treeFileCount: 200, tinyFileCount: 500, randomBytes: 8 * 1024 ** 2, fioBytes: 4 * 1024 ** 2 };

/** A share of it, in whole directories and MiB. */
export function scaled(size: DataSetSize, share: number): DataSetSize {
  const part = (whole: number, unit: number): number => Math.max(1, Math.round((whole * share) / unit)) * unit;
  return {
    treeFileCount: part(size.treeFileCount, FILES_PER_DIRECTORY),
    tinyFileCount: part(size.tinyFileCount, FILES_PER_DIRECTORY),
    randomBytes: part(size.randomBytes, 1024 ** 2),
    fioBytes: part(size.fioBytes, 1024 ** 2),
  };
}

export interface DataSet extends DataSetSize, AsyncDisposable {
  /** A directory of directories of files, and a tar archive of it. */
  readonly tree: string;
  readonly treeArchive: string;
  readonly tinyArchive: string;
  readonly randomFile: string;
}

const SEED = 7;
const FILES_PER_DIRECTORY = 100;
const SMALLEST_BYTES = 1024;
const LARGEST_BYTES = 60 * 1024;
const TINY_BYTES = 100;
const CHUNK_BYTES = 4 * 1024 ** 2;
const MEMORY_DIRECTORY = '/dev/shm';
/** Room the data needs at most: random data, tree, archives. */
const TREE_FILE_BYTES = 2.5 * LARGEST_BYTES;
const TINY_FILE_BYTES = 6 * 1024;

export async function createDataSet(size: DataSetSize): Promise<DataSet> {
  const directory = await mkdtemp(join(roomiest(size), 's3ql-bench-data-'));
  const set: DataSet = {
    ...size,
    tree: join(directory, 'tree'),
    treeArchive: join(directory, 'tree.tar'),
    tinyArchive: join(directory, 'tiny.tar'),
    randomFile: join(directory, 'random'),
    [Symbol.asyncDispose]: cleanUpAtTheLatest(() => rm(directory, { recursive: true, force: true, maxRetries: 10 })),
  };
  try {
    const random = new Random(SEED);
    const stream = new RandomStream();
    await makeTree(set.tree, size.treeFileCount, () => content(random, stream));
    await mustRun('tar', ['-C', directory, '-cf', set.treeArchive, 'tree']);
    const tiny = join(directory, 'tiny');
    await makeTree(tiny, size.tinyFileCount, () => stream.next(TINY_BYTES));
    await mustRun('tar', ['-C', directory, '-cf', set.tinyArchive, 'tiny']);
    await rm(tiny, { recursive: true });
    writeRandomFile(set.randomFile, size.randomBytes, stream);
    return set;
  } catch (error) {
    await set[Symbol.asyncDispose]();
    throw error;
  }
}

function roomiest(size: DataSetSize): string {
  const neededBytes = size.randomBytes + size.treeFileCount * TREE_FILE_BYTES + size.tinyFileCount * TINY_FILE_BYTES;
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
    if (bavail * bsize > 2 * neededBytes) return MEMORY_DIRECTORY;
  } catch {
    // No such file system here.
  }
  return tmpdir();
}

async function makeTree(top: string, fileCount: number, next: () => Uint8Array): Promise<void> {
  for (let first = 0; first < fileCount; first += FILES_PER_DIRECTORY) {
    const directory = join(top, `directory-${first / FILES_PER_DIRECTORY}`);
    await mkdir(directory, { recursive: true });
    for (let index = first; index < Math.min(fileCount, first + FILES_PER_DIRECTORY); index += 1) {
      await writeFile(join(directory, `file-${index}`), next());
    }
  }
}

/** Half of it is random, half is text that compresses, as in a home directory. */
function content(random: Random, stream: RandomStream): Uint8Array {
  const sizeBytes = SMALLEST_BYTES + random.below(LARGEST_BYTES - SMALLEST_BYTES);
  const bytes = stream.next(sizeBytes);
  for (let at = Math.floor(sizeBytes / 2); at < sizeBytes; at += 1) bytes[at] = 0x61 + ((bytes[at] ?? 0) & 7);
  return bytes;
}

function writeRandomFile(path: string, sizeBytes: number, stream: RandomStream): void {
  const fd = openSync(path, 'w');
  try {
    for (let done = 0; done < sizeBytes; done += CHUNK_BYTES) writeSync(fd, stream.next(Math.min(CHUNK_BYTES, sizeBytes - done)));
  } finally {
    closeSync(fd);
  }
}

/** The key stream of a cipher: the same random bytes every time, fast. */
class RandomStream {
  readonly #cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, SEED), Buffer.alloc(16));

  next(sizeBytes: number): Uint8Array {
    return this.#cipher.update(Buffer.alloc(sizeBytes));
  }
}
