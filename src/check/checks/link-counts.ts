/**
 * inodes.refcount is the number of entries; an inode without any moves to lost+found. Only in a file system that was in use, inodes that
 * were deleted while they were open are no damage: they go now, as when it is mounted.
 */
import type { Check, CheckContext } from '../check.ts';
import { CONTROL, ROOT, shown } from '../tree.ts';

const ENTRIES = '(SELECT count(*) FROM contents WHERE contents.inode = inodes.id)';

export const linkCounts: Check = {
  name: 'wrong link counts',
  run(context) {
    const { database, tree, lostAndFound, findings } = context;
    const wrong = database.rows<[bigint, bigint, bigint]>(
      `SELECT id, refcount, ${ENTRIES} AS entries FROM inodes WHERE (refcount != entries OR entries = 0) AND id NOT IN (${ROOT}, ${CONTROL})`,
    );
    for (const [id, refcount, entries] of wrong) {
      if (entries > 0n) {
        database.run('UPDATE inodes SET refcount = ? WHERE id = ?', entries, id);
        findings.repaired(this.name, `${shown(tree.pathOf(id))} had link count ${refcount} instead of ${entries}`);
      } else if (context.wasMounted && refcount === 0n && isEmpty(context, id)) {
        purge(context, id);
      } else {
        database.run('UPDATE inodes SET refcount = 0 WHERE id = ?', id);
        lostAndFound.adopt(id);
        findings.repaired(this.name, `Inode ${id} was in no directory: it is /lost+found/inode-${id} now`);
      }
    }
  },
};

function isEmpty({ database }: CheckContext, id: bigint): boolean {
  return database.row('SELECT 1 FROM contents WHERE parent_inode = ?', id) === undefined;
}

function purge({ database, tree }: CheckContext, id: bigint): void {
  for (const [object] of database.rows<[bigint]>('DELETE FROM inode_blocks WHERE inode = ? RETURNING obj_id', id)) {
    database.run('UPDATE objects SET refcount = refcount - 1 WHERE id = ?', object);
  }
  for (const [name] of database.rows<[bigint]>('DELETE FROM ext_attributes WHERE inode = ? RETURNING name_id', id)) tree.releaseName(name);
  database.run('DELETE FROM symlink_targets WHERE inode = ?', id);
  database.run('DELETE FROM inodes WHERE id = ?', id);
}
