/** When reading moves an inode's access time: as mount(8) describes relatime, strictatime, noatime and nodiratime. */
import type { Inode } from '../metadata/types.ts';
import type { FileSystemContext } from './context.ts';
import { isDirectory } from './file-mode.ts';

const DAY_NS = 86_400_000_000_000n;

/** Whether a read now would move the access time. relatime moves one that is not newer than mtime and ctime, or a day old. */
export function accessTimeIsDue(context: FileSystemContext, inode: Inode, nowNs: bigint = context.clock()): boolean {
  const policy = isDirectory(inode.mode) ? context.directoryAtimePolicy : context.atimePolicy;
  if (policy !== 'relatime') return policy === 'strictatime';
  return inode.atimeNs <= inode.mtimeNs || inode.atimeNs <= inode.ctimeNs || nowNs - inode.atimeNs >= DAY_NS;
}

/** A file, directory or symbolic link was read. Nothing of a locked inode moves. */
export function accessed(context: FileSystemContext, inode: Inode): void {
  if (inode.locked) return;
  const nowNs = context.clock();
  if (!accessTimeIsDue(context, inode, nowNs)) return;
  context.database.inodes.setAtime(inode.id, nowNs);
  context.commits.changed();
}
