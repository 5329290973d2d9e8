/**
 * Operations on names: lookup, making and removing entries, rename, link. All are synchronous: one database transaction's part each.
 * Types of source and target, sticky bits, loops and permissions are checked by the kernel before it asks (fs/namei.c); what it can't know is
 * checked here: locked inodes, the control file, emptiness, name length.
 */
import { CONTROL_INODE, type Inode, type InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { ACL_ACCESS_NAME, ACL_DEFAULT_NAME, encodeAcl, inheritAcl, isMinimalAcl, parseAcl } from './posix-acl.ts';
import { accessed } from './access-times.ts';
import { type Caller, type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import { isDirectory, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_ISGID } from './file-mode.ts';

export const MAX_NAME_BYTES = 255;
/** PATH_MAX less its NUL. */
const MAX_SYMLINK_TARGET_BYTES = 4095;
export const CONTROL_FILE_NAME: Buffer = Buffer.from('.__s3ql__ctrl__');

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

const DOT = 0x2e;

export class DirectoryOperations {
  readonly #context: FileSystemContext;

  constructor(context: FileSystemContext) {
    this.#context = context;
  }

  /** The inode of that name, counted as looked up; undefined if there is none. `.` and `..` are answered too (NFS asks for them). */
  lookup(parent: InodeId, name: Uint8Array): Inode | undefined {
    const { database, lifetime } = this.#context;
    checkNameLength(name);
    const id = isControlFileName(name) ? CONTROL_INODE : (this.#special(parent, name) ?? database.entries.lookup(parent, name));
    if (id === undefined) return undefined;
    const inode = requireInode(this.#context, id);
    lifetime.addLookup(id, isDirectory(inode.mode) && !isDots(name) ? parent : undefined);
    return inode;
  }

  /** Makes a file of any type but symlink. `mode` has the type. The result counts as looked up. */
  make(parent: InodeId, name: Uint8Array, mode: number, rdev: number, caller: Caller): Inode {
    checkNewName(name);
    return this.#insertNew(parent, name, mode, rdev, 0n, caller);
  }

  makeSymlink(parent: InodeId, name: Uint8Array, target: Uint8Array, caller: Caller): Inode {
    checkNewName(name);
    if (target.length > MAX_SYMLINK_TARGET_BYTES) throw new FsError('ENAMETOOLONG', 'symlink target too long');
    return this.#context.database.atomic(() => {
      const inode = this.#insertNew(parent, name, S_IFLNK | 0o777, 0, BigInt(target.length), { ...caller, umask: 0 });
      this.#context.database.symlinks.set(inode.id, target);
      return inode;
    });
  }

  /** A regular file without a name (O_TMPFILE): an orphan until it is linked. */
  makeNameless(parent: InodeId, mode: number, caller: Caller): Inode {
    const directory = this.#requireLiveDirectory(parent);
    const inode = this.#create(directory, mode, 0, 0n, 0, caller);
    this.#context.lifetime.addLookup(inode.id);
    this.#context.lifetime.orphaned(inode.id);
    this.#context.commits.changed();
    return inode;
  }

  readSymlink(id: InodeId): Uint8Array {
    const target = this.#context.database.symlinks.target(id);
    if (target === undefined) throw new FsError('EINVAL', `inode ${id} is no symbolic link`);
    accessed(this.#context, requireInode(this.#context, id));
    return target;
  }

  link(id: InodeId, newParent: InodeId, newName: Uint8Array): Inode {
    checkNewName(newName);
    if (id === CONTROL_INODE) throw new FsError('EPERM', 'the control file cannot be linked');
    const { database, lifetime, commits } = this.#context;
    const inode = requireUnlocked(this.#context, id);
    if (isDirectory(inode.mode)) throw new FsError('EPERM', 'directories cannot be linked');
    const directory = this.#requireLiveDirectory(newParent);
    database.entries.insert(newParent, newName, id);
    if (inode.linkCount === 0) lifetime.adopted(id);
    inode.linkCount += 1;
    inode.ctimeNs = this.#touch(directory);
    database.inodes.update(inode);
    lifetime.addLookup(id);
    commits.changed();
    return inode;
  }

  unlink(parent: InodeId, name: Uint8Array): void {
    const { database, commits } = this.#context;
    const directory = requireUnlocked(this.#context, parent);
    const inode = this.#requireEntry(parent, name);
    if (isDirectory(inode.mode)) throw new FsError('EISDIR', 'is a directory');
    if (inode.locked) throw new FsError('EPERM', 'file is locked');
    database.entries.remove(parent, name);
    this.#dropLink(inode, this.#touch(directory));
    commits.changed();
  }

  removeDirectory(parent: InodeId, name: Uint8Array): void {
    const { database, commits } = this.#context;
    const directory = requireUnlocked(this.#context, parent);
    const inode = this.#requireEntry(parent, name);
    this.#requireRemovableDirectory(inode);
    database.entries.remove(parent, name);
    this.#dropLink(inode, this.#touch(directory));
    this.#context.subdirectories.adjust(parent, -1);
    commits.changed();
  }

  rename(parent: InodeId, name: Uint8Array, newParent: InodeId, newName: Uint8Array, flags: number): void {
    checkNewName(newName);
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) throw new FsError('EINVAL', 'unknown rename flag');
    const { database, commits } = this.#context;
    const from = requireUnlocked(this.#context, parent);
    const to = parent === newParent ? from : requireUnlocked(this.#context, newParent);
    const inode = this.#requireEntry(parent, name);
    if (inode.locked) throw new FsError('EPERM', 'file is locked');
    const targetId = database.entries.lookup(newParent, newName);
    const target = targetId === undefined ? undefined : requireUnlocked(this.#context, targetId);
    if (target !== undefined && (flags & RENAME_NOREPLACE) !== 0) throw new FsError('EEXIST');

    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (target === undefined) throw new FsError('ENOENT');
      database.atomic(() => this.#exchange(from, name, inode, to, newName, target));
    } else if (target?.id !== inode.id) {
      database.atomic(() => this.#move(from, name, inode, to, newName, target, (flags & RENAME_WHITEOUT) !== 0));
      if (target !== undefined) this.#replaced(target, inode, to);
    }
    commits.changed();
  }

  #move(from: Inode, name: Uint8Array, inode: Inode, to: Inode, newName: Uint8Array, target: Inode | undefined, whiteout: boolean): void {
    const { database, lifetime, subdirectories } = this.#context;
    const movesDirectory = isDirectory(inode.mode);
    if (target === undefined) {
      if (to.linkCount === 0) throw new FsError('ENOENT', 'directory was removed');
      database.entries.insert(to.id, newName, inode.id);
    } else {
      if (isDirectory(target.mode)) this.#requireRemovableDirectory(target);
      database.entries.replace(to.id, newName, inode.id);
    }
    database.entries.remove(from.id, name);
    const nowNs = this.#touch(from);
    if (to.id !== from.id) this.#touch(to, nowNs);
    inode.ctimeNs = nowNs;
    database.inodes.update(inode);
    if (movesDirectory && from.id !== to.id) {
      subdirectories.adjust(from.id, -1);
      subdirectories.adjust(to.id, 1);
      lifetime.moved(inode.id, to.id);
    }
    if (whiteout) this.#insertWhiteout(from, name);
  }

  /** The target of a rename lost its name. Outside of the move's `atomic`: what the block layer gives up here can't be taken back. */
  #replaced(target: Inode, inode: Inode, directory: Inode): void {
    this.#dropLink(target, inode.ctimeNs);
    if (isDirectory(target.mode)) this.#context.subdirectories.adjust(directory.id, -1);
    else this.#context.commits.replaced(inode.id);
  }

  #exchange(from: Inode, name: Uint8Array, inode: Inode, to: Inode, newName: Uint8Array, target: Inode): void {
    const { database, lifetime, subdirectories } = this.#context;
    database.entries.replace(from.id, name, target.id);
    database.entries.replace(to.id, newName, inode.id);
    const nowNs = this.#touch(from);
    if (to.id !== from.id) this.#touch(to, nowNs);
    for (const [moved, oldParent, newParent] of [
      [inode, from, to],
      [target, to, from],
    ] as const) {
      moved.ctimeNs = nowNs;
      database.inodes.update(moved);
      if (!isDirectory(moved.mode) || oldParent.id === newParent.id) continue;
      subdirectories.adjust(oldParent.id, -1);
      subdirectories.adjust(newParent.id, 1);
      lifetime.moved(moved.id, newParent.id);
    }
  }

  /** What overlayfs leaves where a file of a lower layer is hidden: a character device 0:0. */
  #insertWhiteout(directory: Inode, name: Uint8Array): void {
    const inode = this.#create(directory, S_IFCHR, 0, 0n, 1, { uid: 0, gid: 0, umask: 0 });
    this.#context.database.entries.insert(directory.id, name, inode.id);
  }

  #insertNew(parent: InodeId, name: Uint8Array, mode: number, rdev: number, size: bigint, caller: Caller): Inode {
    const { database, lifetime, subdirectories, commits } = this.#context;
    const directory = this.#requireLiveDirectory(parent);
    const inode = database.atomic(() => {
      const made = this.#create(directory, mode, rdev, size, 1, caller);
      database.entries.insert(parent, name, made.id);
      return made;
    });
    this.#touch(directory, inode.ctimeNs);
    const madeDirectory = isDirectory(mode);
    if (madeDirectory) {
      subdirectories.adjust(parent, 1);
      subdirectories.created(inode.id);
    }
    lifetime.addLookup(inode.id, madeDirectory ? parent : undefined);
    commits.changed();
    return inode;
  }

  /** The row of a new inode, with group, mode and ACLs as its directory hands them down. */
  #create(directory: Inode, mode: number, rdev: number, size: bigint, linkCount: number, caller: Caller): Inode {
    const { database, clock } = this.#context;
    const nowNs = clock();
    const setgid = (directory.mode & S_ISGID) !== 0;
    const type = mode & S_IFMT;
    const inherited = type === S_IFLNK ? undefined : this.#inheritAcls(directory, mode);
    let newMode = inherited?.mode ?? mode & ~caller.umask;
    if (setgid && type === S_IFDIR) newMode |= S_ISGID;
    const inode = database.inodes.create({
      mode: newMode,
      uid: caller.uid,
      gid: setgid ? directory.gid : caller.gid,
      atimeNs: nowNs,
      mtimeNs: nowNs,
      ctimeNs: nowNs,
      linkCount,
      size,
      rdev,
      locked: false,
    });
    for (const [aclName, value] of inherited?.xattrs ?? []) database.xattrs.set(inode.id, aclName, value);
    return inode;
  }

  #inheritAcls(directory: Inode, mode: number): { mode: number; xattrs: Array<[Uint8Array, Uint8Array]> } | undefined {
    const { xattrs } = this.#context.database;
    if (!xattrs.any()) return undefined;
    const defaults = xattrs.get(directory.id, ACL_DEFAULT_NAME);
    if (defaults === undefined) return undefined;
    const inherited = inheritAcl(parseAcl(defaults), mode);
    const result: Array<[Uint8Array, Uint8Array]> = [];
    if (!isMinimalAcl(inherited.access)) result.push([ACL_ACCESS_NAME, encodeAcl(inherited.access)]);
    if (isDirectory(mode)) result.push([ACL_DEFAULT_NAME, defaults]);
    return { mode: inherited.mode, xattrs: result };
  }

  #dropLink(inode: Inode, nowNs: bigint): void {
    const { database, lifetime, subdirectories } = this.#context;
    inode.linkCount -= 1;
    inode.ctimeNs = nowNs;
    database.inodes.update(inode);
    if (inode.linkCount > 0) return;
    if (isDirectory(inode.mode)) subdirectories.invalidate(inode.id);
    lifetime.orphaned(inode.id);
  }

  /** Sets a directory's mtime and ctime; returns them. */
  #touch(directory: Inode, nowNs: bigint = this.#context.clock()): bigint {
    directory.mtimeNs = nowNs;
    directory.ctimeNs = nowNs;
    this.#context.database.inodes.update(directory);
    return nowNs;
  }

  #requireEntry(parent: InodeId, name: Uint8Array): Inode {
    checkNameLength(name);
    if (isControlFileName(name)) throw new FsError('EACCES', 'the control file cannot be changed');
    const id = this.#context.database.entries.lookup(parent, name);
    if (id === undefined) throw new FsError('ENOENT');
    return requireInode(this.#context, id);
  }

  #requireLiveDirectory(id: InodeId): Inode {
    const directory = requireUnlocked(this.#context, id);
    if (!isDirectory(directory.mode)) throw new FsError('ENOTDIR');
    if (directory.linkCount === 0) throw new FsError('ENOENT', 'directory was removed');
    return directory;
  }

  #requireRemovableDirectory(inode: Inode): void {
    if (!isDirectory(inode.mode)) throw new FsError('ENOTDIR');
    if (inode.locked) throw new FsError('EPERM', 'directory is locked');
    if (!this.#context.database.entries.isEmpty(inode.id)) throw new FsError('ENOTEMPTY');
  }

  /** `.` and `..` */
  #special(parent: InodeId, name: Uint8Array): InodeId | undefined {
    if (!isDots(name)) return undefined;
    if (name.length === 1) return parent;
    return this.#context.lifetime.parentOf(parent) ?? this.#context.database.entries.parentOf(parent) ?? parent;
  }
}

function isDots(name: Uint8Array): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
}

function isControlFileName(name: Uint8Array): boolean {
  return name.length === CONTROL_FILE_NAME.length && CONTROL_FILE_NAME.equals(name);
}

function checkNameLength(name: Uint8Array): void {
  if (name.length > MAX_NAME_BYTES) throw new FsError('ENAMETOOLONG');
}

function checkNewName(name: Uint8Array): void {
  checkNameLength(name);
  if (isControlFileName(name)) throw new FsError('EACCES', 'that name belongs to the control file');
  if (isDots(name)) throw new FsError('EEXIST');
}
