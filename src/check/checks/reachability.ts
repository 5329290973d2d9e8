/** Everything can be reached from the root. Directories that contain each other are cut loose and moved to lost+found. */
import type { Check, CheckContext } from '../check.ts';
import { CONTROL, type Entry, ROOT, shown } from '../tree.ts';

export const reachability: Check = {
  name: 'unreachable directories',
  run(context) {
    const { database, tree, lostAndFound, findings } = context;
    database.exec('CREATE TEMP TABLE reached (id INTEGER PRIMARY KEY)');
    try {
      reach(context, ROOT);
      for (let lost = firstUnreached(context); lost !== undefined; lost = firstUnreached(context)) {
        const entry = entryInLoop(context, lost);
        const name = tree.nameOf(entry.row) ?? Buffer.from(`inode-${entry.inode}`);
        lostAndFound.take(entry, name);
        reach(context, entry.inode);
        findings.repaired(this.name, `Directory ${shown(name)} (inode ${entry.inode}) was inside of itself: moved to /lost+found`);
      }
    } finally {
      database.exec('DROP TABLE temp.reached');
    }
  },
};

function reach({ database }: CheckContext, from: bigint): void {
  database.runOnTemporary(
    `INSERT OR IGNORE INTO temp.reached WITH RECURSIVE below (id) AS
       (SELECT ? UNION SELECT contents.inode FROM below CROSS JOIN contents ON contents.parent_inode = below.id)
     SELECT id FROM below`,
    from,
  );
}

function firstUnreached({ database }: CheckContext): bigint | undefined {
  return database.row<[bigint]>(`SELECT id FROM inodes WHERE id NOT IN (SELECT id FROM temp.reached) AND id != ${CONTROL} LIMIT 1`)?.[0];
}

/** From directory to directory upwards until one comes again. Every inode has an entry, and every parent is a directory, by now. */
function entryInLoop({ tree }: CheckContext, start: bigint): Entry {
  const seen = new Set<bigint>();
  for (let inode = start; ;) {
    const entry = tree.entriesOf(inode)[0];
    if (entry === undefined) throw new Error(`inode ${inode} has no entry`);
    if (seen.has(inode)) return entry;
    seen.add(inode);
    inode = entry.parent;
  }
}
