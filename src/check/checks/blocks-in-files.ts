/** Blocks belong to files, at possible places. Others become files of their own in lost+found. */
import type { Check, CheckContext } from '../check.ts';
import type { Column } from '../../metadata/connection.ts';
import { MAX_FILE_BYTES } from '../../filesystem/file-operations.ts';
import { CONTROL, shown } from '../tree.ts';

export const blocksInFiles: Check = {
  name: 'blocks where none can be',
  run(context) {
    const { database, tree, findings, blockSizeBytes } = context;
    const impossible = `typeof(blockno) != 'integer' OR blockno < 0 OR blockno >= ${MAX_FILE_BYTES / BigInt(blockSizeBytes)}`;
    const nowhere = database.rows<[bigint]>(
      `SELECT DISTINCT inode FROM inode_blocks JOIN inodes ON inodes.id = inode
       WHERE ${impossible}`,
    );
    for (const [inode] of nowhere) {
      const path = shown(tree.pathOf(inode));
      const file = rescue(context, inode, impossible);
      findings.repaired(this.name, `${path} had blocks at impossible places: they are ${shown(tree.pathOf(file))} now`);
    }
    const noFiles = database.rows<[bigint]>(
      `SELECT DISTINCT inode FROM inode_blocks JOIN inodes ON inodes.id = inode WHERE mode >> 12 != 8 OR inode = ${CONTROL}`,
    );
    for (const [inode] of noFiles) {
      const path = shown(tree.pathOf(inode));
      const file = rescue(context, inode, '1');
      findings.repaired(this.name, `${path} is no file, but had blocks: they are ${shown(tree.pathOf(file))} now`);
    }
  },
};

/** Moves blocks of an inode to a new file, close together. */
function rescue({ database, lostAndFound, blockSizeBytes }: CheckContext, inode: bigint, which: string): bigint {
  const file = lostAndFound.newFile(`inode-${inode}-blocks`);
  const rows = database.rows<[Column, Column]>(
    `SELECT rowid, obj_id FROM inode_blocks WHERE inode = ? AND (${which}) ORDER BY blockno`,
    inode,
  );
  rows.forEach(([row], block) => database.run('UPDATE inode_blocks SET inode = ?, blockno = ? WHERE rowid = ?', file, block, row));
  const last = rows.at(-1)?.[1] ?? null;
  const length = database.row<[bigint]>('SELECT length FROM objects WHERE id = ?', last)?.[0] ?? 0n;
  database.run('UPDATE inodes SET size = ? WHERE id = ?', BigInt(rows.length - 1) * BigInt(blockSizeBytes) + length, file);
  return file;
}
