/** s3qllock: makes a tree immutable. Nothing in it can be changed any more; only s3qlrm removes it. */
import type { InodeId } from '../metadata/types.ts';
import type { FileSystemContext } from './context.ts';
import { requireInode } from './context.ts';
import { walkTree } from './tree-walk.ts';

export async function lockTree(context: FileSystemContext, top: InodeId): Promise<void> {
  lock(context, top);
  for await (const { entries } of walkTree(context, top)) {
    for (const entry of entries) lock(context, entry.inode);
    context.commits.changed();
  }
}

function lock(context: FileSystemContext, id: InodeId): void {
  const inode = requireInode(context, id);
  if (inode.locked) return;
  inode.locked = true;
  context.database.inodes.update(inode);
}
