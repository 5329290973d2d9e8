/** names.refcount is the number of entries and extended attributes with that name; names without any have no row. */
import type { Check } from '../check.ts';

const USES = `(SELECT count(*) FROM contents WHERE name_id = names.id) + (SELECT count(*) FROM ext_attributes WHERE name_id = names.id)`;

export const nameCounts: Check = {
  name: 'wrong reference counts of names',
  run({ database, findings }) {
    const wrong = database.rows<[bigint, bigint, bigint]>(`SELECT id, refcount, ${USES} AS uses FROM names WHERE refcount != uses`);
    for (const [id, refcount, uses] of wrong) {
      if (uses === 0n) database.run('DELETE FROM names WHERE id = ?', id);
      else database.run('UPDATE names SET refcount = ? WHERE id = ?', uses, id);
      findings.repaired(this.name, `Name ${id} had reference count ${refcount} instead of ${uses}`);
    }
  },
};
