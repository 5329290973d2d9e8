/** chmod, chown, utimensat and truncate: what SETATTR of the kernel and its relatives change of an inode. */
import type { BlockWaiter } from '../blocks/block-cache.ts';
import { FsError } from '../util/errors.ts';
import { CONTROL_INODE, type Inode, type InodeId } from '../metadata/types.ts';
import { ACL_ACCESS_NAME, aclWithMode, encodeAcl, parseAcl } from './posix-acl.ts';
import { type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import type { FileOperations } from './file-operations.ts';
import { isDirectory, isSymlink, PERMISSION_BITS, withoutSetIdBits } from './file-mode.ts';

/** Only what is present changes. Times in ns since the epoch; `'now'` is our clock's. */
export interface AttributeChanges {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: bigint;
  readonly atimeNs?: bigint | 'now';
  readonly mtimeNs?: bigint | 'now';
  readonly killSuidgid: boolean;
}

/** What a signed 64-bit nanosecond column holds: the years 1677 to 2262. ext4, too, clamps times beyond its range. */
const MAX_TIME_NS = 2n ** 63n - 1n;
const MIN_TIME_NS = -(2n ** 63n);

export class AttributeOperations {
  readonly #context: FileSystemContext;
  readonly #files: FileOperations;

  constructor(context: FileSystemContext, files: FileOperations) {
    this.#context = context;
    this.#files = files;
  }

  /** @throws FsError EPERM (locked), EINVAL, EFBIG; EINTR if the waiter is interrupted */
  change(id: InodeId, changes: AttributeChanges, waiter?: BlockWaiter): Inode | Promise<Inode> {
    if (id === CONTROL_INODE) throw new FsError('EPERM', 'the control file cannot be changed');
    requireUnlocked(this.#context, id);
    const truncated = changes.size === undefined ? undefined : this.#files.truncate(id, changes.size, changes.killSuidgid, waiter);
    if (truncated === undefined) return this.#apply(id, changes);
    return truncated.then(() => this.#apply(id, changes));
  }

  /** chattr +i: makes the inode immutable for ever; only a tree removal by the owner of the mount takes it away. @throws FsError EPERM */
  setLocked(id: InodeId, locked: boolean): void {
    const { database, commits } = this.#context;
    const inode = requireInode(this.#context, id);
    if (inode.locked && !locked) throw new FsError('EPERM', 'locked inodes stay locked');
    if (inode.locked === locked) return;
    inode.locked = true;
    database.inodes.update(inode);
    commits.changed();
  }

  #apply(id: InodeId, changes: AttributeChanges): Inode {
    const { database, clock, commits } = this.#context;
    const inode = requireInode(this.#context, id);
    const nowNs = clock();
    if (changes.mode !== undefined) this.#setMode(inode, changes.mode);
    if (changes.uid !== undefined || changes.gid !== undefined) {
      inode.uid = changes.uid ?? inode.uid;
      inode.gid = changes.gid ?? inode.gid;
      if (!isDirectory(inode.mode) && !isSymlink(inode.mode) && changes.mode === undefined) inode.mode = withoutSetIdBits(inode.mode);
    }
    if (changes.atimeNs !== undefined) inode.atimeNs = changes.atimeNs === 'now' ? nowNs : clampTime(changes.atimeNs);
    if (changes.mtimeNs !== undefined) inode.mtimeNs = changes.mtimeNs === 'now' ? nowNs : clampTime(changes.mtimeNs);
    inode.ctimeNs = nowNs;
    database.inodes.update(inode);
    commits.changed();
    return inode;
  }

  /** chmod also moves the access ACL's mask, owner and other entries. */
  #setMode(inode: Inode, mode: number): void {
    const { xattrs } = this.#context.database;
    inode.mode = (inode.mode & ~PERMISSION_BITS) | (mode & PERMISSION_BITS);
    const acl = xattrs.any() ? xattrs.get(inode.id, ACL_ACCESS_NAME) : undefined;
    if (acl !== undefined) xattrs.set(inode.id, ACL_ACCESS_NAME, encodeAcl(aclWithMode(parseAcl(acl), inode.mode)));
  }
}

function clampTime(timeNs: bigint): bigint {
  if (timeNs > MAX_TIME_NS) return MAX_TIME_NS;
  return timeNs < MIN_TIME_NS ? MIN_TIME_NS : timeNs;
}
