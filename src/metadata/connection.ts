/**
 * How this program opens the metadata database. Every connection goes through here so that all agree on the journal mode and none
 * checkpoints behind the others' backs.
 */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** Page cache of the connection that serves the file system. Pages changed by the open transaction come on top. */
export const MAIN_CACHE_BYTES: number = 20 * 1024 * 1024;

export interface ConnectionOptions {
  readonly cacheBytes?: number;
}

/**
 * Opens an existing database in WAL mode: commits reach the WAL without fsync (`synchronous=NORMAL`), nothing is checkpointed unless
 * asked for, and an open transaction's pages stay in memory until it commits, so that a failed statement can't spoil it.
 */
export function openConnection(path: string, options: ConnectionOptions = {}): DatabaseSync {
  const connection = new DatabaseSync(path, {
    enableForeignKeyConstraints: false,
    timeout: 10_000,
  });
  try {
    connection.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA locking_mode = NORMAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA cache_spill = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${Math.floor((options.cacheBytes ?? MAIN_CACHE_BYTES) / 1024)};
    `);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Extended result code: a row of that key is there already. */
export const SQLITE_CONSTRAINT_UNIQUE: number = 2067;

/**
 * A limit as a parameter. With a plain `LIMIT ?` SQLite plans the statement anew whenever a value is bound, which takes ten times as long
 * as a short query.
 */
export const LIMIT_PARAMETER: string = 'LIMIT ? + 0';

/** A value as SQLite returns it. */
export type Column = null | number | bigint | string | Uint8Array;

/** A prepared statement whose rows are arrays of known shape. */
export interface RowStatement<Row extends readonly Column[]> {
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
}

/**
 * Prepares a statement that returns rows as arrays. Without `bigints` integers are numbers, and one beyond 53 bits throws instead of being
 * rounded; ids, counts and modes are read that way, times and sizes never.
 */
export function prepareRows<Row extends readonly Column[]>(
  connection: DatabaseSync,
  sql: string,
  options: { readonly bigints?: boolean } = {},
): RowStatement<Row> {
  const statement = connection.prepare(sql);
  statement.setReturnArrays(true);
  statement.setReadBigInts(options.bigints ?? false);
  return statement as unknown as RowStatement<Row>;
}
