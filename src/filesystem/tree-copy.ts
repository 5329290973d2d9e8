/**
 * s3qlcp: a copy of a tree by reference, the cheap snapshot. Rows are copied, data is not: both files are held by the same objects. Hard links
 * inside the tree stay links among the copies, links to files outside become files of their own; locks are not copied.
 *
 * What is dirty is uploaded first, because only objects can be shared. A file that is written to while the copy is under way is flushed again
 * when it is its turn, so each file is copied as it was at one moment.
 */
import { setImmediate } from 'node:timers/promises';
import type { Inode, InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import { isDirectory, isRegularFile, isSymlink } from './file-mode.ts';
import { type TreeEntry, walkTree } from './tree-walk.ts';

const BLOCKS_PER_SLICE = 1_000;

/** Copies what is in `source` into the empty directory `target`, which gets the source's attributes. @throws FsError ENOTDIR, ENOTEMPTY, EPERM */
export async function copyTree(
  context: FileSystemContext,
  source: InodeId,
  target: InodeId,
  onCopied: (entryCount: number) => void = () => {},
): Promise<void> {
  const { database, blocks, commits } = context;
  if (!isDirectory(requireInode(context, source).mode)) throw new FsError('ENOTDIR');
  const targetInode = requireUnlocked(context, target);
  if (!isDirectory(targetInode.mode)) throw new FsError('ENOTDIR');
  if (!database.entries.isEmpty(target)) throw new FsError('ENOTEMPTY');
  await blocks.flush();

  /** Copies by original: of directories, and of files with several links. */
  const copies = new Map<InodeId, InodeId>([[source, target]]);
  copyAttributes(context, source, target);
  for await (const { parent, entries } of walkTree(context, source, (directory) => directory === target)) {
    const copyParent = copies.get(parent);
    // Its directory went away, or came into the tree, while the copy was under way.
    if (copyParent === undefined) continue;
    for (const entry of entries) {
      const copied = copyEntry(context, entry, copyParent, copies);
      if (copied !== undefined) await copyBlocks(context, entry.inode, copied);
    }
    onCopied(entries.length);
    context.subdirectories.invalidate(copyParent);
    commits.changed();
  }
}

/** Returns the new inode if it still needs its blocks. */
function copyEntry(context: FileSystemContext, entry: TreeEntry, copyParent: InodeId, copies: Map<InodeId, InodeId>): InodeId | undefined {
  const { database } = context;
  const { attributes } = entry;
  const linkedCopy = copies.get(entry.inode);
  if (linkedCopy !== undefined) {
    const inode = requireInode(context, linkedCopy);
    database.entries.insert(copyParent, entry.name, linkedCopy);
    inode.linkCount += 1;
    database.inodes.update(inode);
    return undefined;
  }
  const copy = database.atomic(() => {
    const { id: _id, ...fields } = attributes;
    const inode = database.inodes.create({ ...fields, linkCount: 1, locked: false });
    database.entries.insert(copyParent, entry.name, inode.id);
    if (isSymlink(attributes.mode)) database.symlinks.set(inode.id, database.symlinks.target(entry.inode) ?? Buffer.alloc(0));
    copyXattrs(context, entry.inode, inode.id);
    return inode;
  });
  if (isDirectory(attributes.mode) || attributes.linkCount > 1) copies.set(entry.inode, copy.id);
  return isRegularFile(attributes.mode) && attributes.size > 0n ? copy.id : undefined;
}

/** Mode, owner, times and xattrs. */
function copyAttributes(context: FileSystemContext, source: InodeId, target: InodeId): void {
  const from = requireInode(context, source);
  const to: Inode = requireInode(context, target);
  to.mode = from.mode;
  to.uid = from.uid;
  to.gid = from.gid;
  to.atimeNs = from.atimeNs;
  to.mtimeNs = from.mtimeNs;
  to.ctimeNs = from.ctimeNs;
  context.database.inodes.update(to);
  copyXattrs(context, source, target);
}

function copyXattrs(context: FileSystemContext, source: InodeId, target: InodeId): void {
  const { xattrs } = context.database;
  if (!xattrs.any()) return;
  for (const name of xattrs.names(source)) {
    const value = xattrs.get(source, name);
    if (value !== undefined) xattrs.set(target, name, value);
  }
}

async function copyBlocks(context: FileSystemContext, source: InodeId, target: InodeId): Promise<void> {
  const { database, blocks } = context;
  if (blocks.hasDirtyBlocks(source)) await blocks.flush(source);
  // No await before the first slice: small files are copied at one moment.
  let next = database.blocks.share(source, target, 0, Number.MAX_SAFE_INTEGER, BLOCKS_PER_SLICE);
  while (next !== undefined) {
    await setImmediate();
    next = database.blocks.share(source, target, next, Number.MAX_SAFE_INTEGER, BLOCKS_PER_SLICE);
  }
  // The size of now: the file may have grown since its directory was read.
  const size = database.inodes.get(source)?.size;
  const copy = database.inodes.get(target);
  if (size === undefined || copy === undefined || copy.size === size) return;
  copy.size = size;
  database.inodes.update(copy);
}
