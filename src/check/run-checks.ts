/**
 * Runs the checks on a metadata database: first what makes every table readable, later, when blocks from the cache are in the store and
 * linked, all the others. Each of the two is one transaction: a run that is cut short has changed nothing.
 */
import { CheckDatabase } from './check-database.ts';
import type { Check, CheckContext } from './check.ts';
import { attributeNames } from './checks/attribute-names.ts';
import { blocksHaveObjects } from './checks/blocks-have-objects.ts';
import { blocksInFiles } from './checks/blocks-in-files.ts';
import { columnValues } from './checks/column-values.ts';
import { directoryEntries } from './checks/directory-entries.ts';
import { entryNames } from './checks/entry-names.ts';
import { fileSizes } from './checks/file-sizes.ts';
import { fileTypes } from './checks/file-types.ts';
import { foreignKeys } from './checks/foreign-keys.ts';
import { impossibleNames } from './checks/impossible-names.ts';
import { linkCounts } from './checks/link-counts.ts';
import { lostAndFoundExists } from './checks/lost-and-found-exists.ts';
import { missingInodes } from './checks/missing-inodes.ts';
import { missingObjects } from './checks/missing-objects.ts';
import { nameCounts } from './checks/name-counts.ts';
import { objectCounts } from './checks/object-counts.ts';
import { parents } from './checks/parents.ts';
import { reachability } from './checks/reachability.ts';
import { rootAndControl } from './checks/root-and-control.ts';
import { specialFiles } from './checks/special-files.ts';
import { storedSizes } from './checks/stored-sizes.ts';
import { symlinkTargets } from './checks/symlink-targets.ts';
import { unidentifiedObjects } from './checks/unidentified-objects.ts';
import { unknownObjects } from './checks/unknown-objects.ts';
import type { Findings } from './findings.ts';
import { LostAndFound } from './lost-and-found.ts';
import { Tree } from './tree.ts';

/** In this order: each relies on what those before it repaired. */
export const CHECKS: readonly Check[] = [
  nameCounts,
  rootAndControl,
  lostAndFoundExists,
  entryNames,
  missingInodes,
  fileTypes,
  parents,
  impossibleNames,
  attributeNames,
  unidentifiedObjects,
  missingObjects,
  blocksHaveObjects,
  blocksInFiles,
  symlinkTargets,
  directoryEntries,
  linkCounts,
  reachability,
  fileSizes,
  specialFiles,
  objectCounts,
  storedSizes,
  unknownObjects,
  foreignKeys,
];

/** As S3QL names them, so that it takes away what a crash of ours leaves. Only while checks run. */
const INDEXES: ReadonlyArray<readonly [name: string, on: string]> = [
  ['tmp1', 'inode_blocks(obj_id)'],
  ['tmp2', 'contents(inode)'],
  ['tmp3', 'contents(name_id)'],
  ['tmp4', 'ext_attributes(name_id)'],
];

/** Makes every table readable for the code that serves mounts. Returns the largest object id that was handed out. */
export function makeReadable(databasePath: string, findings: Findings): number {
  using database = new CheckDatabase(databasePath);
  database.exec('BEGIN');
  columnValues.run({ database, findings });
  database.exec('COMMIT');
  return Number(database.row<[bigint | null]>(`SELECT max(seq) FROM sqlite_sequence WHERE name = 'objects'`)?.[0] ?? 0n);
}

export type RunOptions = Omit<CheckContext, 'database' | 'tree' | 'lostAndFound'> & { readonly nowNs: bigint };

/** Runs all checks. If nothing had to be changed, the database file is as before. */
export async function runChecks(databasePath: string, { nowNs, ...options }: RunOptions): Promise<void> {
  using database = new CheckDatabase(databasePath);
  const tree = new Tree(database, nowNs);
  const context: CheckContext = { ...options, database, tree, lostAndFound: new LostAndFound(tree) };
  const findingsBefore = options.findings.total;
  using step = options.progress.step('Checking', 'checks');
  database.exec('BEGIN');
  try {
    for (const [name, on] of INDEXES) database.exec(`DROP INDEX IF EXISTS ${name}; CREATE INDEX ${name} ON ${on}`);
    for (const [done, check] of CHECKS.entries()) {
      step.update({ done, total: CHECKS.length });
      options.signal?.throwIfAborted();
      await check.run(context);
    }
    for (const [name] of INDEXES) database.exec(`DROP INDEX ${name}`);
    const changed = database.changeCount > 0 || options.findings.total > findingsBefore;
    database.exec(changed ? 'COMMIT' : 'ROLLBACK');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Rewrites the database without what is free in it. */
export function compact(databasePath: string): void {
  using database = new CheckDatabase(databasePath);
  database.exec('VACUUM');
}
