/**
 * Every block of a file is held by an object. A row of `objects` that got lost is made anew from the store; where there is nothing any more
 * the block becomes a hole, and the file moves to lost+found, because it is not what it was.
 */
import type { Column } from '../../metadata/connection.ts';
import type { Check, CheckContext } from '../check.ts';
import { shown } from '../tree.ts';
import { fetchBlock } from './unidentified-objects.ts';

export const blocksHaveObjects: Check = {
  name: 'blocks without an object',
  async run(context) {
    const { database, findings } = context;
    const lost = database.rows<[Column]>(
      'SELECT DISTINCT obj_id FROM inode_blocks WHERE NOT EXISTS (SELECT 1 FROM objects WHERE objects.id = obj_id)',
    );
    const damaged = new Set<Column>();
    for (const [id] of lost) {
      if (typeof id === 'bigint' && (await restoreRow(context, id))) {
        findings.repaired(this.name, `Object ${id} was unknown, but is in the store: known again`);
        continue;
      }
      for (const [inode] of database.rows<[Column]>('DELETE FROM inode_blocks WHERE obj_id IS ? RETURNING inode', id)) damaged.add(inode);
    }
    for (const inode of damaged) if (typeof inode === 'bigint') reportDamaged(context, inode);
  },
};

async function restoreRow(context: CheckContext, id: bigint): Promise<boolean> {
  const { database } = context;
  const found = await fetchBlock(context, Number(id));
  if (found === undefined) return false;
  const rows = database.row<[bigint]>('SELECT count(*) FROM inode_blocks WHERE obj_id = ?', id)?.[0] ?? 0n;
  const twin = database.row<[bigint]>('SELECT id FROM objects WHERE hash = ?', found.digest)?.[0];
  if (twin === undefined) {
    database.run(
      'INSERT INTO objects (id, hash, refcount, phys_size, length) VALUES (?, ?, ?, ?, ?)',
      id,
      found.digest,
      rows,
      context.listing.sizeOf(Number(id)) ?? -1,
      found.lengthBytes,
    );
  } else {
    database.run('UPDATE inode_blocks SET obj_id = ? WHERE obj_id = ?', twin, id);
    database.run('UPDATE objects SET refcount = refcount + ? WHERE id = ?', rows, twin);
  }
  return true;
}

function reportDamaged({ tree, lostAndFound, findings }: CheckContext, inode: bigint): void {
  const paths = tree.entriesOf(inode).map((entry) => shown(tree.entryPath(entry)));
  lostAndFound.takeFile(inode);
  findings.repaired(blocksHaveObjects.name, `Parts of ${paths.join(', ') || `inode ${inode}`} are lost: moved to /lost+found`);
}
