/** Every directory entry has a name. One that has lost it is moved to lost+found. */
import { flattenedPath, freeName } from '../entry-names.ts';
import type { Check } from '../check.ts';
import { ENTRY_COLUMNS, type EntryRow, shown, toEntry } from '../tree.ts';

export const entryNames: Check = {
  name: 'entries without a name',
  run({ database, tree, lostAndFound, findings }) {
    const rows = database.rows<EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM contents WHERE NOT EXISTS (SELECT 1 FROM names WHERE names.id = name_id)`,
    );
    for (const row of rows) {
      const entry = toEntry(row);
      const path = Buffer.concat([tree.pathOf(entry.parent), Buffer.from(`/inode-${entry.inode}`)]);
      const name = freeName(tree, lostAndFound.inode, flattenedPath(path));
      tree.moveEntry(entry, lostAndFound.inode, name);
      findings.repaired(this.name, `An entry of ${shown(tree.pathOf(entry.parent))} had no name: it is /lost+found/${shown(name)} now`);
    }
  },
};
