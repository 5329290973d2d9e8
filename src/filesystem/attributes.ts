/** What stat(2) shows of an inode. */
import { CONTROL_INODE, type Inode } from '../metadata/types.ts';
import { isDirectory, isRegularFile } from './file-mode.ts';
import type { FileSystemContext } from './context.ts';

/** Times in ns since the epoch; `blocks` in units of 512 bytes, counting what is really allocated. */
export interface FileAttributes {
  readonly ino: number;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blockSizeBytes: number;
}

const PREFERRED_IO_BYTES = 4096;
const ALLOCATION_BYTES = 4096n;

/** A promise only for directories so large that counting their subdirectories takes slices. */
export function attributesOf(context: FileSystemContext, inode: Inode): FileAttributes | Promise<FileAttributes> {
  if (!isDirectory(inode.mode)) return build(context, inode, inode.id === CONTROL_INODE ? 1 : inode.linkCount);
  // A removed directory has no link left, not even its own.
  if (inode.linkCount === 0) return build(context, inode, 0);
  const subdirectories = context.subdirectories.get(inode.id);
  if (typeof subdirectories === 'number') return build(context, inode, 2 + subdirectories);
  return subdirectories.then((count) => build(context, context.database.inodes.get(inode.id) ?? inode, 2 + count));
}

function build(context: FileSystemContext, inode: Inode, nlink: number): FileAttributes {
  return {
    ino: inode.id,
    size: inode.size,
    blocks: allocatedSectors(context, inode),
    atimeNs: inode.atimeNs,
    mtimeNs: inode.mtimeNs,
    ctimeNs: inode.ctimeNs,
    mode: inode.mode,
    nlink,
    uid: inode.uid,
    gid: inode.gid,
    rdev: inode.rdev,
    blockSizeBytes: PREFERRED_IO_BYTES,
  };
}

function allocatedSectors(context: FileSystemContext, inode: Inode): bigint {
  if (!isRegularFile(inode.mode) || inode.size === 0n || inode.id === CONTROL_INODE) return 0n;
  const bytes = context.blocks.allocatedBytes(inode.id);
  return ((bytes + ALLOCATION_BYTES - 1n) / ALLOCATION_BYTES) * (ALLOCATION_BYTES / 512n);
}
