/**
 * Ids of objects that this metadata never handed out, and that newer metadata may therefore want: noted in the metadata itself, in an
 * extended attribute of the root directory, as ranges (`17-40,99-99`). The note is made in the transaction that skips these ids, so no run
 * that is cut short lets them pass for this metadata's own garbage.
 */
import type { Column } from '../metadata/connection.ts';
import { CheckDatabase } from './check-database.ts';
import { ROOT, Tree } from './tree.ts';

const ATTRIBUTE = Buffer.from('user.s3ql_kept_objects');
const BY_NAME = 'inode = ? AND name_id = (SELECT id FROM names WHERE name = ?)';

export interface IdRange {
  readonly first: number;
  readonly last: number;
}

export function keptRanges(database: CheckDatabase): IdRange[] {
  const value = database.row<[Column]>(`SELECT value FROM ext_attributes WHERE ${BY_NAME}`, ROOT, ATTRIBUTE)?.[0];
  if (!(value instanceof Uint8Array)) return [];
  return Buffer.from(value)
    .toString('latin1')
    .split(',')
    .flatMap((part) => {
      const [, first, last] = /^(\d{1,16})-(\d{1,16})$/.exec(part) ?? [];
      return first === undefined ? [] : [{ first: Number(first), last: Number(last) }];
    });
}

export function isKept(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ first, last }) => id >= first && id <= last);
}

/** No ranges: the note goes. */
export function setKeptRanges(database: CheckDatabase, tree: Tree, ranges: readonly IdRange[]): void {
  const before = database.row<[bigint]>(`SELECT name_id FROM ext_attributes WHERE ${BY_NAME}`, ROOT, ATTRIBUTE)?.[0];
  if (before !== undefined) {
    database.run('DELETE FROM ext_attributes WHERE inode = ? AND name_id = ?', ROOT, before);
    tree.releaseName(before);
  }
  if (ranges.length === 0) return;
  const text = ranges.map(({ first, last }) => `${first}-${last}`).join(',');
  database.run('INSERT INTO ext_attributes (inode, name_id, value) VALUES (?, ?, ?)', ROOT, tree.internName(ATTRIBUTE), Buffer.from(text));
}

/** Skips the ids from the last one handed out to the highest in the store, and notes that they are not this metadata's. */
export function keepNewerObjects(databasePath: string, lastHandedOutId: number, highestId: number): void {
  if (highestId <= lastHandedOutId) return;
  using database = new CheckDatabase(databasePath);
  database.exec('BEGIN');
  const tree = new Tree(database, 0n);
  setKeptRanges(database, tree, [...keptRanges(database), { first: lastHandedOutId + 1, last: highestId }]);
  if (database.run(`UPDATE sqlite_sequence SET seq = CAST(? AS INTEGER) WHERE name = 'objects'`, highestId) === 0) {
    database.run(`INSERT INTO sqlite_sequence (name, seq) VALUES ('objects', CAST(? AS INTEGER))`, highestId);
  }
  database.exec('COMMIT');
}
