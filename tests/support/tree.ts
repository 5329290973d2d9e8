/** Trees of files for tests: making them, and comparing two to the last attribute. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const FILES_PER_DIRECTORY = 100;

/**
 * Makes `fileCount` files of 1 to about 60 KiB (a tenth of them copies of others, some empty) in directories of a hundred, with links, odd modes, owners,
 * times and names. Sizes and contents depend on the index alone, but for random bytes in them.
 */
export async function makeTree(top: string, fileCount: number): Promise<void> {
  for (let first = 0; first < fileCount; first += FILES_PER_DIRECTORY) {
    const directory = join(top, `directory ${Math.floor(first / FILES_PER_DIRECTORY / 20)}`, `ünter-${first}`);
    await mkdir(directory, { recursive: true });
    const last = Math.min(fileCount, first + FILES_PER_DIRECTORY);
    for (let index = first; index < last; index += 1) await makeFile(directory, index);
    await symlink(`file-${first}`, join(directory, 'symlink'));
    await link(join(directory, `file-${first}`), join(directory, 'hard link'));
    await chmod(directory, 0o2755);
    await utimes(directory, first, 1_500_000_000 + first / 1000);
  }
}

async function makeFile(directory: string, index: number): Promise<void> {
  const path = join(directory, `file-${index}`);
  await writeFile(path, fileContents(index));
  await chmod(path, [0o644, 0o600, 0o755, 0o4711, 0o444][index % 5] ?? 0o644);
  await chown(path, index % 7, index % 11);
  await utimes(path, 1_400_000_000 + index, 1_500_000_000 + index / 1000);
}

function fileContents(index: number): Buffer {
  if (index % 50 === 7) return Buffer.alloc(0);
  const sizeBytes = 1024 + ((index * 7919) % 59_000);
  const repeated = Buffer.from(`line ${index % 10 === 3 ? 'shared' : index} of a file\n`);
  const text = Buffer.alloc(sizeBytes, repeated);
  return index % 10 === 3 ? text : Buffer.concat([randomBytes(Math.floor(sizeBytes / 4)), text.subarray(Math.floor(sizeBytes / 4))]);
}

/** One line per path: type and mode, owner, links of files, size, times (ns), target or digest of the contents. */
export async function describeTree(top: string): Promise<string[]> {
  const lines: string[] = [];
  await describe(top, top, lines);
  return lines.sort();
}

async function describe(top: string, directory: string, lines: string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const status = await lstat(path, { bigint: true });
    const attributes = [relative(top, path), status.mode.toString(8), status.uid, status.gid];
    if (status.isSymbolicLink()) lines.push([...attributes, await readlink(path)].join(' '));
    else if (status.isFile()) {
      const digest = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      lines.push([...attributes, status.nlink, status.size, status.mtimeNs, digest].join(' '));
    } else {
      lines.push([...attributes, status.rdev, status.mtimeNs].join(' '));
      if (status.isDirectory()) await describe(top, path, lines);
    }
  }
}
