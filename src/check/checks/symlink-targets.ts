/** A symbolic link has a target and its size; nothing else has one. A target without its link becomes a link in lost+found. */
import { constants } from 'node:fs';
import type { Check, CheckContext } from '../check.ts';
import { shown } from '../tree.ts';

const LINK_MODE = constants.S_IFLNK | 0o777;

export const symlinkTargets: Check = {
  name: 'damaged symbolic links',
  run(context) {
    moveStrayTargets(context);
    const { database, tree, lostAndFound, findings } = context;
    const without = database.rows<[bigint]>(
      'SELECT id FROM inodes WHERE mode >> 12 = 10 AND NOT EXISTS (SELECT 1 FROM symlink_targets WHERE inode = id)',
    );
    for (const [id] of without) {
      const path = shown(tree.pathOf(id));
      database.run(`INSERT INTO symlink_targets (inode, target) VALUES (?, x'')`, id);
      database.run('UPDATE inodes SET size = 0 WHERE id = ?', id);
      lostAndFound.takeFile(id);
      findings.repaired(this.name, `The symbolic link ${path} had no target: moved to /lost+found`);
    }
    const sizes = database.rows<[bigint, bigint, bigint]>(
      'SELECT id, size, length(target) FROM inodes JOIN symlink_targets ON inode = id WHERE mode >> 12 = 10 AND size != length(target)',
    );
    for (const [id, size, length] of sizes) {
      database.run('UPDATE inodes SET size = ? WHERE id = ?', length, id);
      findings.repaired(this.name, `The symbolic link ${shown(tree.pathOf(id))} had size ${size} instead of ${length}`);
    }
  },
};

function moveStrayTargets({ database, tree, lostAndFound, findings }: CheckContext): void {
  const stray = database.rows<[bigint, Uint8Array]>(
    'SELECT inode, target FROM symlink_targets JOIN inodes ON id = inode WHERE mode >> 12 != 10',
  );
  for (const [inode, target] of stray) {
    database.run('DELETE FROM symlink_targets WHERE inode = ?', inode);
    const link = tree.createInode(LINK_MODE);
    database.run('INSERT INTO symlink_targets (inode, target) VALUES (?, ?)', link, target);
    database.run('UPDATE inodes SET size = ? WHERE id = ?', target.length, link);
    lostAndFound.adopt(link, `inode-${inode}-target`);
    findings.repaired(symlinkTargets.name, `${shown(tree.pathOf(inode))} is no symbolic link, but had a target: moved to /lost+found`);
  }
}
