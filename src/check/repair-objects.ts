/**
 * Repairs what s3ql_verify found: objects that are missing or damaged are stored again if this machine's cache still has their contents. What
 * cannot be had any more becomes a hole, and the files that held it move to lost+found, as fsck.s3ql does it.
 */
import { createHash } from 'node:crypto';
import { eachCachedCopy } from '../blocks/cached-copies.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { CheckDatabase } from './check-database.ts';
import { LostAndFound } from './lost-and-found.ts';
import { shown, Tree } from './tree.ts';

const log = logger('verify');

export interface RepairOptions {
  readonly databasePath: string;
  /** Of the block cache; need not exist. */
  readonly segmentsPath: string;
  readonly objects: ObjectStore;
  readonly compression: CompressionSpec;
  /** Missing and damaged. */
  readonly bad: ReadonlySet<ObjectId>;
  readonly nowNs: bigint;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

export interface RepairResult {
  /** Objects that are in the store again. */
  readonly storedAgainCount: number;
  /** Files that lack something now. */
  readonly damagedFileCount: number;
  /** Nothing refers to them any more; to be deleted once the metadata that says so is in the store. */
  readonly givenUp: readonly ObjectId[];
}

/** The database is changed in one transaction. */
export async function repairObjects(options: RepairOptions): Promise<RepairResult> {
  using database = new CheckDatabase(options.databasePath);
  database.exec('BEGIN');
  try {
    const lost = await storeCopies(options, database);
    const damagedFileCount = giveUp(database, lost, options.nowNs);
    database.exec('COMMIT');
    return { storedAgainCount: options.bad.size - lost.size, damagedFileCount, givenUp: [...lost] };
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Returns the objects of which the cache has no copy. */
async function storeCopies(
  { segmentsPath, objects, compression, bad, progress, signal }: RepairOptions,
  database: CheckDatabase,
): Promise<Set<ObjectId>> {
  const left = new Set(bad);
  using step = progress.step('Storing objects again', 'objects');
  await eachCachedCopy(segmentsPath, left, async (id, bytes) => {
    signal.throwIfAborted();
    const [hash, length] = database.row<[Uint8Array | null, bigint]>('SELECT hash, length FROM objects WHERE id = ?', id) ?? [null, -1n];
    const digest = createHash('sha256').update(bytes).digest();
    // It may have been found before, or be a copy that is damaged itself.
    if (!left.has(id) || hash === null || !digest.equals(hash) || length !== BigInt(bytes.length)) return;
    const { storedSizeBytes } = await objects.put(`s3ql_data_${id}`, bytes, { compression, signal });
    database.run('UPDATE objects SET phys_size = ? WHERE id = ?', storedSizeBytes, id);
    left.delete(id);
    log.info('Object %d was still in the cache: stored again', id);
    step.update({ done: bad.size - left.size, total: bad.size });
  });
  return left;
}

/** Returns how many files were damaged. */
function giveUp(database: CheckDatabase, lost: ReadonlySet<ObjectId>, nowNs: bigint): number {
  if (lost.size === 0) return 0;
  // As S3QL names its temporary indexes, so that it takes away what a crash of ours leaves.
  database.exec('CREATE INDEX IF NOT EXISTS tmp1 ON inode_blocks(obj_id); CREATE INDEX IF NOT EXISTS tmp2 ON contents(inode)');
  const tree = new Tree(database, nowNs);
  const lostAndFound = new LostAndFound(tree);
  lostAndFound.ensure();
  const damaged = new Set<bigint>();
  for (const id of lost) {
    for (const [inode] of database.rows<[bigint]>('DELETE FROM inode_blocks WHERE obj_id = ? RETURNING inode', id)) damaged.add(inode);
    database.run('DELETE FROM objects WHERE id = ?', id);
  }
  for (const inode of damaged) {
    const paths = tree.entriesOf(inode).map((entry) => shown(tree.entryPath(entry)));
    lostAndFound.takeFile(inode);
    log.warn('Parts of %s are lost: moved to /lost+found', paths.join(', ') || `inode ${inode}`);
  }
  database.exec('DROP INDEX tmp1; DROP INDEX tmp2');
  return damaged.size;
}
