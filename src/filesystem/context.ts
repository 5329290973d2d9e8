/** What all operations of one file system share. Everything in it lives on the file system's thread. */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { Inode, InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import type { NanosecondClock } from '../util/clock.ts';
import type { CommitCycle } from './commit-cycle.ts';
import type { InodeLifetime } from './inode-lifetime.ts';
import type { ListingReadAhead } from './listing-read-ahead.ts';
import type { SubdirectoryCounts } from './subdirectory-counts.ts';

/** How reads move atime: as mount(8)'s options of these names. */
export type AtimePolicy = 'relatime' | 'strictatime' | 'noatime';

export interface FileSystemContext {
  readonly database: MetadataDatabase;
  readonly blocks: BlockCache;
  readonly clock: NanosecondClock;
  readonly commits: CommitCycle;
  readonly lifetime: InodeLifetime;
  readonly subdirectories: SubdirectoryCounts;
  readonly listingReadAhead: ListingReadAhead;
  readonly atimePolicy: AtimePolicy;
  /** The same for directories. */
  readonly directoryAtimePolicy: AtimePolicy;
}

/** Credentials of the process that asks; `umask` is zero where it was applied already. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** The inode's row. @throws FsError ENOENT if it is gone (a node id the kernel still holds of something purged) */
export function requireInode(context: FileSystemContext, id: InodeId): Inode {
  const inode = context.database.inodes.get(id);
  if (inode === undefined) throw new FsError('ENOENT', `inode ${id} does not exist`);
  return inode;
}

/** The inode's row, if it may be changed. @throws FsError EPERM if it is locked (s3qllock) */
export function requireUnlocked(context: FileSystemContext, id: InodeId): Inode {
  const inode = requireInode(context, id);
  if (inode.locked) throw new FsError('EPERM', `inode ${id} is locked`);
  return inode;
}
