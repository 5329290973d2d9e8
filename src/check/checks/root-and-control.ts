/** The root directory and the control file exist, are what they should be, and have no entries of their own. */
import { constants } from 'node:fs';
import type { Check } from '../check.ts';
import { CONTROL, ROOT, shown, type Tree } from '../tree.ts';

const SPECIAL = [
  { inode: ROOT, what: 'The root directory', mode: constants.S_IFDIR | 0o755, linkCount: 1 },
  { inode: CONTROL, what: 'The control file', mode: constants.S_IFREG | 0o600, linkCount: 42 },
];

export const rootAndControl: Check = {
  name: 'damage of the root directory or the control file',
  run({ database, tree, findings }) {
    for (const { inode, what, mode, linkCount } of SPECIAL) {
      if (tree.typeOf(inode) === undefined) {
        tree.createInode(mode, inode);
        database.run('UPDATE inodes SET refcount = ? WHERE id = ?', linkCount, inode);
        findings.repaired(this.name, `${what} was missing`);
      }
      if (tree.typeOf(inode) !== (mode & constants.S_IFMT)) {
        database.run('UPDATE inodes SET mode = ? WHERE id = ?', mode, inode);
        findings.repaired(this.name, `${what} had the type of something else`);
      }
      if (database.run('UPDATE inodes SET refcount = ?1 WHERE id = ?2 AND refcount != ?1', linkCount, inode) > 0) {
        findings.repaired(this.name, `${what} had a wrong link count`);
      }
      for (const entry of tree.entriesOf(inode)) {
        const path = ownPath(tree, entry.parent, entry.row);
        tree.removeEntry(entry);
        database.run('UPDATE inodes SET refcount = ? WHERE id = ?', linkCount, inode);
        findings.repaired(this.name, `${what} had an entry, ${path}, which has been removed`);
      }
    }
  },
};

/** Not by `entryPath`, which would go round through the entry itself. */
function ownPath(tree: Tree, parent: bigint, row: bigint): string {
  return `${shown(tree.nameOf(row) ?? Buffer.from('nameless'))} in inode ${parent}`;
}
