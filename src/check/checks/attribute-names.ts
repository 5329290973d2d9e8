/** Extended attributes have names, of 1 to 255 bytes without NUL. Others get a new one, and keep their value. */
import type { Check } from '../check.ts';
import { MAX_NAME_BYTES } from '../entry-names.ts';
import { shown } from '../tree.ts';

export const attributeNames: Check = {
  name: 'extended attributes without a name',
  run({ database, tree, findings }) {
    const rows = database.rows<[bigint, bigint, bigint, bigint | null]>(
      `SELECT x.rowid, x.inode, x.name_id, names.id FROM ext_attributes x LEFT JOIN names ON names.id = x.name_id
       WHERE names.id IS NULL OR length(name) NOT BETWEEN 1 AND ${MAX_NAME_BYTES} OR instr(name, x'00') > 0`,
    );
    for (const [row, inode, nameId, existing] of rows) {
      const name = `user.lost+found.${row}`;
      database.run('UPDATE ext_attributes SET name_id = ? WHERE rowid = ?', tree.internName(Buffer.from(name)), row);
      if (existing !== null) tree.releaseName(nameId);
      findings.repaired(this.name, `An extended attribute of ${shown(tree.pathOf(inode))} had no valid name: it is called ${name} now`);
    }
  },
};
