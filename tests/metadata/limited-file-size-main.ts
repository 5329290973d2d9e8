/** Run under a file size limit: commits until the WAL may not grow any more, and tells what came of it. */
import { FsError } from '../../src/util/errors.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import { ROOT_INODE } from '../../src/metadata/types.ts';

const path = process.argv[2] ?? '';
using database = new SqliteMetadata(path);
const codeOf = (operation: () => unknown): string => {
  try {
    operation();
    return 'done';
  } catch (error) {
    return error instanceof FsError ? error.code : error instanceof Error ? error.name : 'unknown';
  }
};

let committed = 0;
let outcome = 'done';
while (outcome === 'done') {
  for (let n = 0; n < 100; n++) database.entries.insert(ROOT_INODE, Buffer.from(`${committed} ${n}`.padEnd(200)), ROOT_INODE);
  outcome = codeOf(() => database.commit());
  if (outcome === 'done') committed++;
}
const afterwards = codeOf(() => database.entries.insert(ROOT_INODE, Buffer.from('more'), ROOT_INODE));
const reading = codeOf(() => database.entries.lookup(ROOT_INODE, Buffer.from('x')));
process.stdout.write(JSON.stringify({ committed, outcome, afterwards, reading }));
