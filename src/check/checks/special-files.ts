/** Only files and symbolic links have a size, only devices a device number. */
import type { Check } from '../check.ts';
import { shown } from '../tree.ts';

export const specialFiles: Check = {
  name: 'sizes and device numbers where none should be',
  run({ database, tree, findings }) {
    for (const [id, size] of database.rows<[bigint, bigint]>('SELECT id, size FROM inodes WHERE size != 0 AND mode >> 12 NOT IN (8, 10)')) {
      database.run('UPDATE inodes SET size = 0 WHERE id = ?', id);
      findings.repaired(this.name, `${shown(tree.pathOf(id))} is neither file nor symbolic link, but had size ${size}`);
    }
    for (const [id] of database.rows<[bigint]>('SELECT id FROM inodes WHERE rdev != 0 AND mode >> 12 NOT IN (2, 6)')) {
      database.run('UPDATE inodes SET rdev = 0 WHERE id = ?', id);
      findings.repaired(this.name, `${shown(tree.pathOf(id))} is no device, but had a device number`);
    }
  },
};
