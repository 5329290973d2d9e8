/** objects.refcount is the number of blocks that the object holds. Objects that hold none are deleted. */
import type { ObjectId } from '../../metadata/types.ts';
import type { Check } from '../check.ts';

const BLOCKS = '(SELECT count(*) FROM inode_blocks WHERE obj_id = objects.id)';

export const objectCounts: Check = {
  name: 'wrong reference counts of objects',
  run({ database, findings, removals }) {
    const wrong = database.rows<[bigint, bigint, bigint]>(
      `SELECT id, refcount, ${BLOCKS} AS blocks FROM objects WHERE refcount != blocks OR refcount = 0`,
    );
    for (const [id, refcount, blocks] of wrong) {
      if (blocks > 0n) {
        database.run('UPDATE objects SET refcount = ? WHERE id = ?', blocks, id);
      } else {
        database.run('DELETE FROM objects WHERE id = ?', id);
        removals.add(Number(id) as ObjectId);
      }
      // A count that became 0 by a repair is no finding of its own.
      if (refcount !== blocks) findings.repaired(this.name, `Object ${id} had reference count ${refcount} instead of ${blocks}`);
    }
  },
};
