/** Visits everything below a directory in slices, so that the mount stays responsive. What comes into the tree meanwhile may or may not be visited. */
import type { DirectoryEntry, Inode, InodeId } from '../metadata/types.ts';
import { TimeSlices } from '../util/time-slices.ts';
import type { FileSystemContext } from './context.ts';
import { isDirectory } from './file-mode.ts';

const PAGE_ENTRIES = 100;

/** An entry with the row of its inode as it was when the entry was read. */
export type TreeEntry = DirectoryEntry & { readonly attributes: Inode };

/** Yields each entry after the directory it is in. */
export async function* walkTree(
  context: FileSystemContext,
  top: InodeId,
): AsyncGenerator<{ readonly parent: InodeId; readonly entries: readonly TreeEntry[] }> {
  const slices = new TimeSlices();
  const pending: InodeId[] = [top];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    let cookie = 0;
    for (;;) {
      if (slices.isOver) await slices.next();
      const entries = context.database.entries.listWithInodes(parent, cookie, PAGE_ENTRIES);
      for (const entry of entries) if (isDirectory(entry.attributes.mode)) pending.push(entry.inode);
      const last = entries.at(-1);
      if (last === undefined) break;
      yield { parent, entries };
      cookie = last.cookie;
    }
  }
}
