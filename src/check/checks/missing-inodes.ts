/**
 * What refers to an inode refers to one that exists. An inode of which only its blocks, entries, target or attributes are left is made anew,
 * with a type that fits them; an entry that is all there is left of something is removed.
 */
import { constants } from 'node:fs';
import type { Column } from '../../metadata/connection.ts';
import type { Check, CheckContext } from '../check.ts';
import { ENTRY_COLUMNS, type EntryRow, shown, toEntry } from '../tree.ts';

/** Traces that an inode leaves, and what it must have been. */
const TRACES = [
  { table: 'contents', column: 'parent_inode', mode: constants.S_IFDIR | 0o700 },
  { table: 'symlink_targets', column: 'inode', mode: constants.S_IFLNK | 0o777 },
  { table: 'inode_blocks', column: 'inode', mode: constants.S_IFREG | 0o600 },
  { table: 'ext_attributes', column: 'inode', mode: constants.S_IFREG | 0o600 },
] as const;

export const missingInodes: Check = {
  name: 'missing inodes',
  run(context) {
    for (const { table, column, mode } of TRACES) {
      const lost = context.database.rows<[Column]>(
        `SELECT DISTINCT ${column} FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM inodes WHERE inodes.id = ${column})`,
      );
      for (const [id] of lost) makeAnew(context, id, table, column, mode);
    }
    removeBareEntries(context);
  },
};

function makeAnew({ database, tree, findings }: CheckContext, id: Column, table: string, column: string, mode: number): void {
  const usable = typeof id === 'bigint' && id > 0n && id <= lastInode(database);
  const inode = tree.createInode(mode, usable ? id : undefined);
  if (usable) database.run('UPDATE inodes SET refcount = (SELECT count(*) FROM contents WHERE inode = ?1) WHERE id = ?1', inode);
  else database.run(`UPDATE ${table} SET ${column} = ? WHERE ${column} IS ?`, inode, id);
  if (table === 'symlink_targets')
    database.run('UPDATE inodes SET size = (SELECT length(target) FROM symlink_targets WHERE inode = id) WHERE id = ?', inode);
  findings.repaired(
    missingInodes.name,
    `Inode ${String(id)} was missing, but not what belongs to it in ${table}: made anew as inode ${inode}`,
  );
}

function lastInode(database: CheckContext['database']): bigint {
  return database.row<[bigint]>(`SELECT max(seq) FROM sqlite_sequence WHERE name = 'inodes'`)?.[0] ?? 0n;
}

function removeBareEntries({ database, tree, findings }: CheckContext): void {
  const bare = database.rows<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM contents WHERE NOT EXISTS (SELECT 1 FROM inodes WHERE inodes.id = contents.inode)`,
  );
  for (const row of bare) {
    const entry = toEntry(row);
    const path = shown(tree.entryPath(entry));
    tree.removeEntry(entry);
    findings.repaired(missingInodes.name, `Of ${path} nothing but the name was left (inode ${entry.inode} is missing): removed`);
  }
}
