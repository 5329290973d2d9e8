import type { DatabaseSync } from 'node:sqlite';
import { prepareRows } from './connection.ts';

/** The highest id an AUTOINCREMENT table ever had, 0 if none: new rows get higher ones. Table and column are names in the code, not input. */
export function lastUsedId(connection: DatabaseSync, table: string, column: string): number {
  const [sequence] = prepareRows<[number]>(connection, 'SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?').get(table) ?? [
    0,
  ];
  const [present] = prepareRows<[number]>(connection, `SELECT coalesce(max(${column}), 0) FROM ${table}`).get() ?? [0];
  return Math.max(sequence, present);
}
