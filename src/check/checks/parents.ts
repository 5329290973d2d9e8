/** Only directories have entries. What is inside of anything else moves to lost+found. */
import type { Check } from '../check.ts';
import { type EntryRow, shown, toEntry } from '../tree.ts';

export const parents: Check = {
  name: 'entries of something that is no directory',
  run({ database, tree, lostAndFound, findings }) {
    const rows = database.rows<EntryRow>(
      `SELECT contents.rowid, parent_inode, inode FROM contents JOIN inodes ON inodes.id = parent_inode WHERE mode >> 12 != 4`,
    );
    for (const row of rows) {
      const entry = toEntry(row);
      const path = tree.entryPath(entry);
      lostAndFound.take(entry, path);
      findings.repaired(this.name, `${shown(path)} was inside of something that is no directory: moved to /lost+found`);
    }
  },
};
