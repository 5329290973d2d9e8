/** s3qlrm: removes a tree, locked or not, deepest entries first, in slices. If it is interrupted what is left is a smaller, consistent tree. */
import { type Inode, type InodeId, ROOT_INODE } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { TimeSlices } from '../util/time-slices.ts';
import { type FileSystemContext, requireInode } from './context.ts';
import { isDirectory } from './file-mode.ts';

const PAGE_ENTRIES = 100;

/** Tells the kernel that an entry it may have cached is gone. */
export type EntryRemoved = (parent: InodeId, name: Uint8Array) => void;

/** Removes the entry with all below it. @throws FsError ENOENT */
export async function removeTree(context: FileSystemContext, parent: InodeId, name: Uint8Array, onRemoved: EntryRemoved): Promise<void> {
  const { database, lifetime } = context;
  const top = database.entries.lookup(parent, name);
  if (top === undefined) throw new FsError('ENOENT');
  const slices = new TimeSlices();
  /** Directories on the way from the top to where we are; each is emptied, then removed from the one before it. */
  const path: Array<{ parent: InodeId; name: Uint8Array; id: InodeId }> = [];
  const remove = (directory: InodeId, entryName: Uint8Array, id: InodeId): void => {
    removeEntry(context, directory, entryName, requireInode(context, id));
    // Of a directory that it was not told of, as in most snapshots, the kernel can have cached nothing.
    if (directory === ROOT_INODE || lifetime.isKnown(directory)) onRemoved(directory, entryName);
  };

  if (!isDirectory(requireInode(context, top).mode)) {
    remove(parent, name, top);
    return;
  }
  path.push({ parent, name, id: top });
  for (let current = path.at(-1); current !== undefined; current = path.at(-1)) {
    if (slices.isOver) await slices.next();
    const entries = database.entries.listWithInodes(current.id, 0, PAGE_ENTRIES);
    const directory = current.id;
    const subdirectory = entries.find((entry) => isDirectory(entry.attributes.mode));
    let left = entries.length;
    for (const entry of entries) {
      if (!isDirectory(entry.attributes.mode)) remove(directory, entry.name, entry.inode);
      left -= 1;
      // The rest is listed again.
      if (slices.isOver) break;
    }
    if (subdirectory !== undefined) {
      path.push({ parent: directory, name: subdirectory.name, id: subdirectory.inode });
    } else if (left === 0 && entries.length < PAGE_ENTRIES) {
      path.pop();
      remove(current.parent, current.name, current.id);
    }
    context.commits.changed();
  }
}

function removeEntry(context: FileSystemContext, parent: InodeId, name: Uint8Array, inode: Inode): void {
  const { database, lifetime, subdirectories, clock } = context;
  const directory = requireInode(context, parent);
  database.entries.remove(parent, name);
  directory.mtimeNs = clock();
  directory.ctimeNs = directory.mtimeNs;
  database.inodes.update(directory);
  inode.linkCount -= 1;
  inode.ctimeNs = directory.mtimeNs;
  database.inodes.update(inode);
  if (isDirectory(inode.mode)) {
    subdirectories.adjust(parent, -1);
    subdirectories.invalidate(inode.id);
  }
  if (inode.linkCount === 0) lifetime.orphaned(inode.id);
}
