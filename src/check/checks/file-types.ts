/** Every inode is of a type that exists. A lost type is told from what belongs to the inode. */
import { constants } from 'node:fs';
import type { Check, CheckContext } from '../check.ts';
import { shown } from '../tree.ts';

const TYPES = [1, 2, 4, 6, 8, 10, 12].join(', ');
const PERMISSIONS = 0o7777;

export const fileTypes: Check = {
  name: 'inodes without a type',
  run(context) {
    const { database, tree, findings } = context;
    for (const [id, mode] of database.rows<[bigint, bigint]>(`SELECT id, mode FROM inodes WHERE mode >> 12 NOT IN (${TYPES})`)) {
      const type = likelyType(context, id);
      database.run('UPDATE inodes SET mode = ? WHERE id = ?', type | (Number(mode) & PERMISSIONS), id);
      findings.repaired(this.name, `${shown(tree.pathOf(id))} had no type: it is ${nameOf(type)} now`);
    }
  },
};

function likelyType({ database }: CheckContext, id: bigint): number {
  if (database.row('SELECT 1 FROM contents WHERE parent_inode = ?', id) !== undefined) return constants.S_IFDIR;
  if (database.row('SELECT 1 FROM symlink_targets WHERE inode = ?', id) !== undefined) return constants.S_IFLNK;
  return constants.S_IFREG;
}

function nameOf(type: number): string {
  if (type === constants.S_IFDIR) return 'a directory';
  return type === constants.S_IFLNK ? 'a symbolic link' : 'a file';
}
