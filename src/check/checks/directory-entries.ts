/** A directory has one entry. Of several the first stays: the others only make loops, or paths that nobody made. */
import type { Check } from '../check.ts';
import { shown } from '../tree.ts';

export const directoryEntries: Check = {
  name: 'directories with several entries',
  run({ database, tree, findings }) {
    const several = database.rows<[bigint]>(
      `SELECT inode FROM contents JOIN inodes ON inodes.id = contents.inode WHERE mode >> 12 = 4 GROUP BY inode HAVING count(*) > 1`,
    );
    for (const [inode] of several) {
      const [first, ...others] = tree.entriesOf(inode);
      if (first === undefined) continue;
      for (const entry of others) {
        const name = shown(tree.nameOf(entry.row) ?? Buffer.from('nameless'));
        tree.removeEntry(entry);
        findings.repaired(this.name, `Directory ${shown(tree.pathOf(inode))} had another entry, ${name} in inode ${entry.parent}: removed`);
      }
    }
  },
};
