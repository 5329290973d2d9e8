/** Extended attributes (man 7 xattr), POSIX ACLs among them. */
import { FsError } from '../util/errors.ts';
import type { InodeId } from '../metadata/types.ts';
import { ACL_ACCESS_NAME, ACL_DEFAULT_NAME, isAclName, isMinimalAcl, modeOfAcl, parseAcl } from './posix-acl.ts';
import { type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import { isDirectory, S_ISGID } from './file-mode.ts';

export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;
const NAMESPACES = ['user.', 'trusted.', 'security.'].map((prefix) => Buffer.from(prefix));
const MAX_NAME_BYTES = 255;
/** XATTR_SIZE_MAX of the kernel. */
const MAX_VALUE_BYTES = 65_536;

export class XattrOperations {
  readonly #context: FileSystemContext;

  constructor(context: FileSystemContext) {
    this.#context = context;
  }

  get(id: InodeId, name: Uint8Array): Uint8Array {
    const { xattrs } = this.#context.database;
    const value = xattrs.any() ? xattrs.get(id, name) : undefined;
    if (value === undefined) throw new FsError('ENODATA');
    return value;
  }

  list(id: InodeId): Uint8Array[] {
    const { xattrs } = this.#context.database;
    return xattrs.any() ? xattrs.names(id) : [];
  }

  /** `flags`: XATTR_CREATE, XATTR_REPLACE. `killSgid`: setting an access ACL clears setgid (caller not in the file's group). */
  set(id: InodeId, name: Uint8Array, value: Uint8Array, flags: number, killSgid: boolean): void {
    const { database, commits } = this.#context;
    if (name.length > MAX_NAME_BYTES) throw new FsError('ERANGE');
    if (value.length > MAX_VALUE_BYTES) throw new FsError('E2BIG');
    if ((flags & XATTR_CREATE) !== 0 && (flags & XATTR_REPLACE) !== 0) throw new FsError('EINVAL');
    requireKnownNamespace(name);
    requireUnlocked(this.#context, id);
    database.atomic(() => {
      const exists = database.xattrs.get(id, name) !== undefined;
      if (exists && (flags & XATTR_CREATE) !== 0) throw new FsError('EEXIST');
      if (!exists && (flags & XATTR_REPLACE) !== 0) throw new FsError('ENODATA');
      if (sameBytes(name, ACL_ACCESS_NAME)) this.#setAccessAcl(id, value, killSgid);
      else if (sameBytes(name, ACL_DEFAULT_NAME)) this.#setDefaultAcl(id, value);
      else database.xattrs.set(id, name, value);
      this.#changed(id);
    });
    commits.changed();
  }

  remove(id: InodeId, name: Uint8Array): void {
    const { database, commits } = this.#context;
    requireUnlocked(this.#context, id);
    if (!database.xattrs.remove(id, name)) {
      // Removing an ACL that is not there is no error to the kernel's ACL interface.
      if (isAclName(name)) return;
      throw new FsError('ENODATA');
    }
    this.#changed(id);
    commits.changed();
  }

  /** The mode follows the ACL; one that says no more than the mode is not stored. */
  #setAccessAcl(id: InodeId, value: Uint8Array, killSgid: boolean): void {
    const { database } = this.#context;
    const entries = parseAcl(value);
    const inode = requireInode(this.#context, id);
    inode.mode = (inode.mode & ~0o777) | modeOfAcl(entries);
    if (killSgid) inode.mode &= ~S_ISGID;
    database.inodes.update(inode);
    if (isMinimalAcl(entries)) database.xattrs.remove(id, ACL_ACCESS_NAME);
    else database.xattrs.set(id, ACL_ACCESS_NAME, value);
  }

  #setDefaultAcl(id: InodeId, value: Uint8Array): void {
    const { database } = this.#context;
    if (!isDirectory(requireInode(this.#context, id).mode)) throw new FsError('EACCES', 'only directories have a default ACL');
    parseAcl(value);
    database.xattrs.set(id, ACL_DEFAULT_NAME, value);
  }

  #changed(id: InodeId): void {
    const inode = requireInode(this.#context, id);
    inode.ctimeNs = this.#context.clock();
    this.#context.database.inodes.update(inode);
  }
}

/** xattr(7): the kernel asks FUSE about every name, whatever it begins with. @throws FsError EOPNOTSUPP, EINVAL (nothing but the namespace) */
function requireKnownNamespace(name: Uint8Array): void {
  if (isAclName(name)) return;
  const namespace = NAMESPACES.find((prefix) => sameBytes(name.subarray(0, prefix.length), prefix));
  if (namespace === undefined) throw new FsError('EOPNOTSUPP');
  if (name.length === namespace.length) throw new FsError('EINVAL');
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
