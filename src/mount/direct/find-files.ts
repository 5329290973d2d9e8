/** `s3ql find`: walks a tree and shows the files for which all tests hold. */
import type { FileTypeLetter, SizeTest } from '../../cli/options/file-tests.ts';
import { isDirectory } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { Inode } from '../../metadata/types.ts';
import { entryJson, typeLetter } from './entry-text.ts';
import { FileErrors } from './file-errors.ts';
import type { ResultWriter } from './output.ts';
import { baseName, checkDepth, entriesOf, joinPath, resolvePath } from './paths.ts';

/** What is undefined is not tested. */
export interface FindTests {
  readonly name: ((name: Uint8Array) => boolean) | undefined;
  readonly iname: ((name: Uint8Array) => boolean) | undefined;
  readonly types: readonly FileTypeLetter[];
  readonly sizes: readonly SizeTest[];
  /** Times of modification in ns since the epoch. */
  readonly newerThanNs: bigint | undefined;
  readonly olderThanNs: bigint | undefined;
  /** 0: only the starting points. */
  readonly maxDepth: number | undefined;
}

export type FindFormat = 'lines' | 'print0' | 'json';

/** Returns the exit code. */
export async function findFiles(
  fileSystem: FileSystem,
  paths: readonly string[],
  tests: FindTests,
  format: FindFormat,
  output: ResultWriter,
  signal: AbortSignal,
): Promise<number> {
  const errors = new FileErrors(signal);
  for (const path of paths.map((text) => Buffer.from(text))) {
    try {
      await walk(path, resolvePath(fileSystem, path, false));
    } catch (error) {
      errors.add(path, error);
    }
  }
  return errors.exitCode;

  async function walk(top: Uint8Array, topInode: Inode): Promise<void> {
    const pending = [{ path: top, inode: topInode, depth: 0 }];
    if (holds(tests, baseName(top), topInode)) await show(top, topInode);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const depth = next.depth + 1;
      if (!isDirectory(next.inode.mode) || depth > (tests.maxDepth ?? Infinity)) continue;
      checkDepth(depth);
      for (const { name, attributes } of entriesOf(fileSystem, next.inode.id)) {
        signal.throwIfAborted();
        const path = joinPath(next.path, name);
        if (holds(tests, name, attributes)) await show(path, attributes);
        if (isDirectory(attributes.mode)) pending.push({ path, inode: attributes, depth });
      }
    }
  }

  function show(path: Uint8Array, inode: Inode): Promise<void> {
    if (format === 'json') return output.write(`${JSON.stringify(entryJson(fileSystem, path, inode))}\n`);
    return format === 'print0' ? output.write(path, '\0') : output.write(output.name(path), '\n');
  }
}

function holds(tests: FindTests, name: Uint8Array, { mode, size, mtimeNs }: Inode): boolean {
  if (tests.name !== undefined && !tests.name(name)) return false;
  if (tests.iname !== undefined && !tests.iname(name)) return false;
  const type = typeLetter(mode);
  if (tests.types.length > 0 && (type === undefined || !tests.types.includes(type))) return false;
  if (tests.newerThanNs !== undefined && mtimeNs <= tests.newerThanNs) return false;
  if (tests.olderThanNs !== undefined && mtimeNs >= tests.olderThanNs) return false;
  return tests.sizes.every((test) => sizeHolds(test, size));
}

function sizeHolds({ compare, count, unitBytes }: SizeTest, size: bigint): boolean {
  const units = (size + unitBytes - 1n) / unitBytes;
  if (compare === 'equal') return units === count;
  return compare === 'more' ? units > count : units < count;
}
