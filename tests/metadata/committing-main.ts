/** Changes, commits and syncs for ever; tells each epoch's number on stdout once it is committed. To be killed. */
import { SnapshotWorker } from '../../src/metadata/snapshot.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import { type Inode, ROOT_INODE } from '../../src/metadata/types.ts';
import { writeSync } from 'node:fs';

const database = new SqliteMetadata(process.argv[2] ?? '');
const worker = new SnapshotWorker(database);
const first = (database.inodes.get(ROOT_INODE) as Inode).uid + 1;
for (let round = first; ; round++) {
  database.atomic(() => {
    for (let n = 0; n < 50; n++) {
      const { id } = database.inodes.create({ ...(database.inodes.get(ROOT_INODE) as Inode), linkCount: 1, mode: 0o100644 });
      database.entries.insert(ROOT_INODE, Buffer.from(`${round}/${n}`), id);
    }
  });
  const root = database.inodes.get(ROOT_INODE) as Inode;
  root.uid = round;
  database.inodes.update(root);
  database.commit();
  writeSync(1, `${round}\n`);
  if (round % 3 === 0) await database.syncCommitted();
  if (round % 7 === 0) await worker.checkpoint();
  if (round % 50 === 0) (await worker.freeze(65_536))[Symbol.dispose]();
}
