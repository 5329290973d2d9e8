/** `s3ql du`: what a tree takes, before and after de-duplication and compression, and what removing it would free. By SQL: no tree is too large. */
import { CheckDatabase } from '../../check/check-database.ts';
import { formatBytes } from '../../cli/format.ts';
import { isDirectory } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { InodeId } from '../../metadata/types.ts';
import { exactNumber } from '../../util/exact-number.ts';
import { FileErrors } from './file-errors.ts';
import type { ResultWriter } from './output.ts';
import { entriesOf, joinPath, resolvePath } from './paths.ts';
import { jsonName } from './shown-name.ts';

export interface TreeUsage {
  /** Each inode once, however many links it has in the tree. */
  readonly inodeCount: bigint;
  /** Sum of the sizes of the files; sparse files count in full. */
  readonly sizeBytes: bigint;
  /** Of the different blocks of the tree. */
  readonly deduplicatedSizeBytes: bigint;
  /** What these take in the store, compressed. */
  readonly storedSizeBytes: bigint;
  /** Of that, what nothing outside of the tree refers to. */
  readonly exclusiveSizeBytes: bigint;
}

export interface UsageOptions {
  /** Subdirectories down to this depth get a line of their own. */
  readonly maxDepth: number;
  readonly raw: boolean;
  readonly json: boolean;
}

const TITLES = ['size', 'de-duplicated', 'stored', 'exclusive'];
const COLUMN_WIDTH = 14;
/** Sums of 64-bit columns in halves: SQLite's sum() fails beyond 2^63. */
const sum = (value: string): string => `coalesce(sum(${value} >> 32), 0), coalesce(sum(${value} & 4294967295), 0)`;

/** Writes a line per tree; returns the exit code. */
export async function showUsage(
  fileSystem: FileSystem,
  databasePath: string,
  paths: readonly string[],
  options: UsageOptions,
  output: ResultWriter,
  signal: AbortSignal,
): Promise<number> {
  const errors = new FileErrors(signal);
  using database = new CheckDatabase(databasePath);
  if (!options.json) await output.write(`${TITLES.map((title) => title.padStart(COLUMN_WIDTH)).join(' ')}  path\n`);
  for (const path of paths.map((text) => Buffer.from(text))) {
    try {
      await show(path, resolvePath(fileSystem, path, false).id, 0);
    } catch (error) {
      errors.add(path, error);
    }
  }
  return errors.exitCode;

  /** Subdirectories before the directory they are in, as du(1) has it. */
  async function show(path: Uint8Array, inode: InodeId, depth: number): Promise<void> {
    if (depth < options.maxDepth && isDirectory(fileSystem.inode(inode).mode)) {
      for (const { name, attributes } of entriesOf(fileSystem, inode)) {
        signal.throwIfAborted();
        if (isDirectory(attributes.mode)) await show(joinPath(path, name), attributes.id, depth + 1);
      }
    }
    const usage = treeUsage(database, inode);
    if (options.json) {
      const figures = Object.fromEntries(Object.entries(usage).map(([key, value]) => [key, exactNumber(value as bigint)]));
      await output.write(`${JSON.stringify({ ...jsonName('path', path), ...figures })}\n`);
      return;
    }
    const { sizeBytes, deduplicatedSizeBytes, storedSizeBytes, exclusiveSizeBytes } = usage;
    const columns = [sizeBytes, deduplicatedSizeBytes, storedSizeBytes, exclusiveSizeBytes].map((bytes) =>
      (options.raw ? String(bytes) : formatBytes(bytes)).padStart(COLUMN_WIDTH),
    );
    await output.write(`${columns.join(' ')}  `, output.name(path), '\n');
  }
}

export function treeUsage(database: CheckDatabase, top: InodeId): TreeUsage {
  database.exec('CREATE TEMP TABLE IF NOT EXISTS tree (inode INTEGER PRIMARY KEY); DELETE FROM temp.tree');
  database.runOnTemporary(
    `WITH RECURSIVE below(inode) AS (
       SELECT ? UNION SELECT contents.inode FROM contents JOIN below ON contents.parent_inode = below.inode
     )
     INSERT INTO temp.tree SELECT inode FROM below`,
    top,
  );
  const [inodeCount, high, low] = database.row<[bigint, bigint, bigint]>(
    `SELECT count(*), ${sum('size')} FROM temp.tree CROSS JOIN inodes ON inodes.id = tree.inode`,
  ) ?? [0n, 0n, 0n];
  const used = `(SELECT obj_id, count(*) AS uses FROM temp.tree CROSS JOIN inode_blocks ON inode_blocks.inode = tree.inode GROUP BY obj_id)`;
  const [lengthHigh, lengthLow, storedHigh, storedLow, ownHigh, ownLow] =
    database.row<bigint[]>(
      `SELECT ${sum('length')}, ${sum('max(phys_size, 0)')}, ${sum('iif(uses >= refcount, max(phys_size, 0), 0)')}
     FROM ${used} CROSS JOIN objects ON objects.id = obj_id`,
    ) ?? [];
  return {
    inodeCount,
    sizeBytes: joined(high, low),
    deduplicatedSizeBytes: joined(lengthHigh, lengthLow),
    storedSizeBytes: joined(storedHigh, storedLow),
    exclusiveSizeBytes: joined(ownHigh, ownLow),
  };
}

function joined(high: bigint = 0n, low: bigint = 0n): bigint {
  return (high << 32n) + low;
}
