/**
 * Divides what is in a tree among several processes: lists of names for rsync's --files-from, with a NUL after each, in a directory of their
 * own. Files of one set of hard links come into the same list; everything else goes where there is least to copy so far.
 */
import { createWriteStream, type Stats, type WriteStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { UserError } from '../util/errors.ts';
import { directoryProblem } from './directory-problem.ts';

export interface FileLists {
  /** List of the directories; those of the files, one per process that has any. */
  readonly directories: string;
  readonly files: readonly string[];
  readonly fileCount: number;
  readonly sizeBytes: number;
  /** Why directories are missing in the lists: they could not be read. */
  readonly problems: readonly string[];
}

/** What a file costs besides its bytes: as much as copying that many. */
const FILE_OVERHEAD_BYTES = 64 * 1024;
/** Files whose attributes are asked for at once. */
const STAT_BATCH_COUNT = 64;
const NUL = Buffer.from([0]);
const SLASH = Buffer.from('/');

interface Lane {
  readonly path: string;
  readonly stream: WriteStream;
  loadBytes: number;
}

/**
 * Lists what is at `name` in `base`, itself included; `.` is the base itself. The lists are written to `listDirectory`.
 * @throws UserError if nothing can be read of it at all
 */
export async function writeFileLists(
  base: string,
  name: string,
  processCount: number,
  listDirectory: string,
  signal: AbortSignal,
): Promise<FileLists> {
  const lane = (label: string): Lane => {
    const path = join(listDirectory, label);
    return { path, stream: createWriteStream(path), loadBytes: 0 };
  };
  const directories = lane('directories');
  const lanes = Array.from({ length: processCount }, (_, index) => lane(`files-${index}`));
  /** Where files with several names go, and how many of these names are still to come. */
  const linked = new Map<string, { readonly lane: Lane; left: number }>();
  const problems: string[] = [];
  let fileCount = 0;
  let sizeBytes = 0;

  const laneFor = (stats: Stats): Lane => {
    const key = `${stats.dev}:${stats.ino}`;
    const known = linked.get(key);
    if (known !== undefined) {
      known.left -= 1;
      if (known.left === 0) linked.delete(key);
      return known.lane;
    }
    const lane = lanes.reduce((least, other) => (other.loadBytes < least.loadBytes ? other : least));
    lane.loadBytes += stats.size + FILE_OVERHEAD_BYTES;
    sizeBytes += stats.size;
    if (stats.nlink > 1) linked.set(key, { lane, left: stats.nlink - 1 });
    return lane;
  };
  const visit = async (path: Buffer, stats: Stats): Promise<void> => {
    if (!stats.isDirectory()) {
      fileCount += 1;
      return write(laneFor(stats).stream, path);
    }
    await write(directories.stream, path);
    pending.push(path);
  };

  const pending: Buffer[] = [];
  const top = Buffer.from(name);
  const path = join(base, name);
  const stats = await lstat(path).catch((error: unknown) => {
    throw new UserError(directoryProblem(path, error), 1, { cause: error });
  });
  await visit(top, stats);
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    signal.throwIfAborted();
    const absolute = Buffer.concat([Buffer.from(`${base}/`), directory]);
    const names = await readdir(absolute, { encoding: 'buffer' }).catch((error: unknown) => {
      const problem = directoryProblem(directory === top ? path : absolute.toString(), error);
      if (directory === top) throw new UserError(problem, 1, { cause: error });
      problems.push(problem);
      return [];
    });
    for (let at = 0; at < names.length; at += STAT_BATCH_COUNT) {
      const batch = names.slice(at, at + STAT_BATCH_COUNT);
      const paths = batch.map((entry) => Buffer.concat([directory, SLASH, entry]));
      const stats = await Promise.all(batch.map((entry) => statIfThere(Buffer.concat([absolute, SLASH, entry]), problems)));
      for (const [index, path] of paths.entries()) {
        const found = stats[index];
        if (found !== undefined) await visit(path, found);
      }
    }
  }
  for (const { stream } of [directories, ...lanes]) {
    stream.end();
    await finished(stream);
  }
  const used = lanes.filter(({ loadBytes }) => loadBytes > 0).map(({ path }) => path);
  return { directories: directories.path, files: used, fileCount, sizeBytes, problems };
}

async function write(stream: WriteStream, path: Buffer): Promise<void> {
  if (!stream.write(Buffer.concat([path, NUL]))) await once(stream, 'drain');
}

/** Undefined for what vanished since its directory was read, and for what cannot be looked at. */
async function statIfThere(path: Buffer, problems: string[]): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') problems.push(directoryProblem(path.toString(), error));
    return undefined;
  });
}
