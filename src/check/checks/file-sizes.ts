/** A file reaches at least to the end of its last block. One that is too short is made as long as that. */
import type { Check } from '../check.ts';
import { shown } from '../tree.ts';

export const fileSizes: Check = {
  name: 'wrong file sizes',
  run({ database, tree, findings, blockSizeBytes }) {
    const short = database.rows<[bigint, bigint, bigint]>(
      `SELECT inodes.id, size, needed FROM
         (SELECT inode, max(blockno * ?1 + length) AS needed FROM inode_blocks CROSS JOIN objects ON objects.id = obj_id GROUP BY inode)
       CROSS JOIN inodes ON inodes.id = inode WHERE size < needed`,
      BigInt(blockSizeBytes),
    );
    for (const [id, size, needed] of short) {
      database.run('UPDATE inodes SET size = ? WHERE id = ?', needed, id);
      findings.repaired(this.name, `${shown(tree.pathOf(id))} had size ${size}, but data up to ${needed}`);
    }
  },
};
