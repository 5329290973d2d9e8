/** Whether a file is a metadata database at all, and whole as far as SQLite can tell. */
import { UserError } from '../util/errors.ts';
import { CheckDatabase } from './check-database.ts';

export const EXIT_DATABASE_DAMAGED = 43;

const MAX_PROBLEMS = 20;
/** Damage of a column's value, not of the file: checks repair it. */
const REPAIRABLE = /^NULL value in /;
/** Damage that making all indexes anew may cure. */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

const TABLES: Readonly<Record<string, string>> = {
  objects: 'id, hash, refcount, phys_size, length',
  inodes: 'id, uid, gid, mode, mtime_ns, atime_ns, ctime_ns, refcount, size, rdev, locked',
  inode_blocks: 'inode, blockno, obj_id',
  symlink_targets: 'inode, target',
  names: 'id, name, refcount',
  contents: 'rowid, name_id, inode, parent_inode',
  ext_attributes: 'inode, name_id, value',
};

/** Tables whose declaration refers to a column that is no primary key: damage of the declarations themselves, which SQLite accepts. */
const IMPOSSIBLE_REFERENCES = `
  SELECT DISTINCT declared.name FROM sqlite_schema AS declared, pragma_foreign_key_list(declared.name) AS reference
  WHERE declared.type = 'table' AND NOT EXISTS (
    SELECT 1 FROM pragma_table_info(reference."table") AS parent
    WHERE parent.pk = 1 AND lower(parent.name) = lower(coalesce(reference."to", parent.name))
  )`;

/** What SQLite finds wrong with the file; none if all is well. */
export function databaseProblems(path: string): string[] {
  try {
    using database = new CheckDatabase(path);
    for (const [table, columns] of Object.entries(TABLES)) database.rows(`SELECT ${columns} FROM ${table} LIMIT 0`);
    const misdeclared = database.rows<[string]>(IMPOSSIBLE_REFERENCES).map(([table]) => `declaration of table ${table} is damaged`);
    return [...misdeclared, ...integrityProblems(database)];
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [(error as Error).message];
  }
}

/**
 * Makes sure that the database is whole. Damaged indexes are made anew; returns whether that was needed.
 * @throws UserError exit 43
 */
export function requireIntegrity(path: string): { readonly reindexed: boolean } {
  const problems = databaseProblems(path);
  if (problems.length === 0) return { reindexed: false };
  if (reindex(path) && databaseProblems(path).length === 0) return { reindexed: true };
  throw new UserError(
    `The metadata database is damaged (${problems.slice(0, 3).join('; ')}${problems.length > 3 ? '; ...' : ''}). ` +
      'Go back to an earlier generation with "s3qladm restore-metadata".',
    EXIT_DATABASE_DAMAGED,
  );
}

/** What the operation throws because the database is damaged becomes the message for that. @throws UserError exit 43 */
export async function explainDamage<T>(operation: () => T | Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new UserError(
      `The metadata database is damaged (${(error as Error).message}). Go back to an earlier generation with "s3qladm restore-metadata".`,
      EXIT_DATABASE_DAMAGED,
      { cause: error },
    );
  }
}

function integrityProblems(database: CheckDatabase): string[] {
  return database
    .rows<[string]>(`PRAGMA integrity_check(${MAX_PROBLEMS})`)
    .map(([line]) => line)
    .filter((line) => line !== 'ok' && !REPAIRABLE.test(line));
}

function reindex(path: string): boolean {
  try {
    using database = new CheckDatabase(path);
    database.exec('REINDEX');
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const code = error.errcode & 0xff;
  if (code === SQLITE_ERROR) return /no such (table|column)|malformed|foreign key mismatch/.test(error.message);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === SQLITE_CONSTRAINT;
}
