/**
 * The one place where FUSE and the file system meet: answers kernel requests with file system operations. Holds no state but the open file
 * handles; time-outs are as good as endless because nobody else changes what is mounted (what the daemon changes itself it notifies).
 *
 * Left out on purpose, so that the kernel stops asking (ENOSYS): open and release of directories, flush, access, statx; locks stay
 * the kernel's, which knows all processes that can meet on this mount.
 */
import type {
  Attributes,
  AttributesReply,
  DirectoryFiller,
  EntryReply,
  Handlers,
  MaybePromise,
  OpenReply,
  RequestContext,
  SetAttributes,
  StatfsReply,
} from '../fuse/handlers.ts';
import { OpenFlag, OpenReplyFlag, WriteFlag } from '../fuse/abi/flags.ts';
import { CONTROL_INODE, type Inode, type InodeId } from '../metadata/types.ts';
import type { ControlFile } from '../filesystem/control-file.ts';
import { MAX_NAME_BYTES } from '../filesystem/directory-operations.ts';
import { isDirectory, S_IFDIR, S_IFMT, S_IFREG, withoutSetIdBits } from '../filesystem/file-mode.ts';
import { FALLOC_FL_PUNCH_HOLE } from '../filesystem/file-operations.ts';
import type { FileSystem } from '../filesystem/file-system.ts';
import { isAclName } from '../filesystem/posix-acl.ts';
import { FsError } from '../util/errors.ts';
import type { WriteGate } from './write-gate.ts';

const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_TRUNC = 0o1000;
const O_NOATIME = 0o1000000;
const FS_IOC_GETFLAGS = 0x8008_6601;
const FS_IOC_SETFLAGS = 0x4008_6602;
const FS_IOC_FSGETXATTR = 0x801c_581f;
const FS_IOC_FSSETXATTR = 0x401c_5820;
const FS_IMMUTABLE_FL = 0x10;
const FS_XFLAG_IMMUTABLE = 0x8;
const FSXATTR_BYTES = 28;

const FOREVER_MS = 365 * 86_400_000;
/** Cookies of `.` and `..`; entries follow. */
const DOT_COOKIES = 2;
const LISTING_PAGE_ENTRIES = 32;

const TRUSTED = Buffer.from('trusted.');
const DOT = Buffer.from('.');
const DOT_DOT = Buffer.from('..');

/** An entry of READDIRPLUS that says no more than READDIR's. */
const UNKNOWN_ENTRY = { nodeId: 0, generation: 0, entryTimeoutMs: 0, attributesTimeoutMs: 0 };
const NO_ATTRIBUTES: Attributes = {
  ino: 0,
  size: 0n,
  blocks: 0n,
  atimeNs: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
  mode: 0,
  nlink: 0,
  uid: 0,
  gid: 0,
  rdev: 0,
  blockSizeBytes: 0,
};

export interface FuseAdapterOptions {
  readonly fileSystem: FileSystem;
  readonly controlFile: ControlFile;
  readonly gate: WriteGate;
  /** NFS generation of all inodes (superblock's inode_gen). */
  readonly generation: number;
  /** Owner of the control file: who may speak to this mount. */
  readonly ownerUid: number;
  readonly ownerGid: number;
  /** False where the mount is for its owner alone, who may then use what others own. */
  readonly kernelChecksPermissions: boolean;
  /** Has the kernel ask for the inode's attributes again. */
  readonly forgetAttributes: (inode: InodeId) => Promise<void>;
}

export class FuseAdapter implements Handlers {
  readonly #fs: FileSystem;
  readonly #options: FuseAdapterOptions;
  /** Open with O_NOATIME. */
  readonly #noAtimeHandles = new Set<number>();
  #nextHandle = 1;

  constructor(options: FuseAdapterOptions) {
    this.#fs = options.fileSystem;
    this.#options = options;
  }

  lookup(_context: RequestContext, parent: number, name: Uint8Array): MaybePromise<EntryReply> {
    const inode = this.#fs.directories.lookup(parent as InodeId, name);
    if (inode === undefined) return { nodeId: 0, generation: 0, entryTimeoutMs: FOREVER_MS, attributesTimeoutMs: 0 };
    return this.#entry(inode);
  }

  forget(node: number, count: number): void {
    this.#fs.forget(node as InodeId, count);
  }

  getattr(_context: RequestContext, node: number): MaybePromise<AttributesReply> {
    return this.#attributes(this.#fs.inode(node as InodeId));
  }

  setattr(context: RequestContext, node: number, set: SetAttributes): MaybePromise<AttributesReply> {
    this.#options.gate.requireOpen(set.size === undefined ? 'any' : 'makes-room');
    this.#refuseGivingAway(context, node, set);
    const changed = this.#fs.attributes.change(node as InodeId, set, context);
    return changed instanceof Promise ? changed.then((inode) => this.#attributes(inode)) : this.#attributes(changed);
  }

  /**
   * Whatever else is allowed where the kernel does not check, files are not given away: `cp -a` of what others own tries to, and if that succeeds
   * the kernel refuses it the ACL of what it no longer owns. @throws FsError EPERM
   */
  #refuseGivingAway({ uid }: RequestContext, node: number, set: SetAttributes): void {
    if (this.#options.kernelChecksPermissions || set.uid === undefined || set.uid === uid || uid === 0) return;
    if (set.uid !== this.#fs.inode(node as InodeId).uid) throw new FsError('EPERM', 'only root gives files to others');
  }

  readlink(_context: RequestContext, node: number): Uint8Array {
    return this.#fs.directories.readSymlink(node as InodeId);
  }

  symlink(context: RequestContext, parent: number, name: Uint8Array, target: Uint8Array): MaybePromise<EntryReply> {
    this.#options.gate.requireOpen();
    return this.#entry(this.#fs.directories.makeSymlink(parent as InodeId, name, target, caller(context, 0)));
  }

  mknod(context: RequestContext, parent: number, name: Uint8Array, mode: number, rdev: number, umask: number): MaybePromise<EntryReply> {
    this.#options.gate.requireOpen();
    const typed = (mode & S_IFMT) === 0 ? mode | S_IFREG : mode;
    return this.#entry(this.#fs.directories.make(parent as InodeId, name, typed, rdev, caller(context, umask)));
  }

  mkdir(context: RequestContext, parent: number, name: Uint8Array, mode: number, umask: number): MaybePromise<EntryReply> {
    this.#options.gate.requireOpen();
    const typed = (mode & ~S_IFMT) | S_IFDIR;
    return this.#entry(this.#fs.directories.make(parent as InodeId, name, typed, 0, caller(context, umask)));
  }

  unlink(_context: RequestContext, parent: number, name: Uint8Array): void {
    this.#options.gate.requireOpen('makes-room');
    this.#fs.directories.unlink(parent as InodeId, name);
  }

  rmdir(_context: RequestContext, parent: number, name: Uint8Array): void {
    this.#options.gate.requireOpen('makes-room');
    this.#fs.directories.removeDirectory(parent as InodeId, name);
  }

  rename(_context: RequestContext, parent: number, name: Uint8Array, newParent: number, newName: Uint8Array, flags: number): void {
    this.#options.gate.requireOpen('makes-room');
    this.#fs.directories.rename(parent as InodeId, name, newParent as InodeId, newName, flags);
  }

  link(_context: RequestContext, node: number, newParent: number, newName: Uint8Array): MaybePromise<EntryReply> {
    this.#options.gate.requireOpen();
    return this.#entry(this.#fs.directories.link(node as InodeId, newParent as InodeId, newName));
  }

  open(context: RequestContext, node: number, flags: number, openFlags: number): MaybePromise<OpenReply> {
    const id = node as InodeId;
    const truncates = (flags & O_TRUNC) !== 0;
    if (truncates || (flags & O_ACCMODE) !== O_RDONLY) this.#options.gate.requireOpen('makes-room');
    const { atimeDue } = this.#fs.files.open(id, (flags & O_ACCMODE) !== O_RDONLY || truncates);
    const killsSetId = truncates && (openFlags & OpenFlag.KILL_SUIDGID) !== 0;
    const tellsKernel = killsSetId && this.#losesSetIdBits(id);
    const truncated = truncates ? this.#fs.files.truncate(id, 0n, killsSetId, context) : undefined;
    // Reads that the kernel serves from its cache never get here: where one would move the atime it must not have a cache.
    const movesAtime = (flags & O_NOATIME) === 0;
    const reply = this.#openReply(atimeDue && movesAtime && (flags & O_ACCMODE) !== 1 ? 0 : OpenReplyFlag.KEEP_CACHE);
    if (!movesAtime) this.#noAtimeHandles.add(reply.handle);
    const opened = truncated === undefined ? reply : truncated.then(() => reply);
    return tellsKernel ? this.#afterModeChange(id, opened) : opened;
  }

  create(
    context: RequestContext,
    parent: number,
    name: Uint8Array,
    mode: number,
    _flags: number,
    umask: number,
  ): MaybePromise<{ entry: EntryReply; open: OpenReply }> {
    this.#options.gate.requireOpen();
    const inode = this.#fs.directories.make(parent as InodeId, name, (mode & ~S_IFMT) | S_IFREG, 0, caller(context, umask));
    return this.#opened(inode);
  }

  tmpfile(
    context: RequestContext,
    parent: number,
    mode: number,
    _flags: number,
    umask: number,
  ): MaybePromise<{ entry: EntryReply; open: OpenReply }> {
    this.#options.gate.requireOpen();
    return this.#opened(this.#fs.directories.makeNameless(parent as InodeId, (mode & ~S_IFMT) | S_IFREG, caller(context, umask)));
  }

  read(
    context: RequestContext,
    node: number,
    handle: number,
    offset: bigint,
    size: number,
    reply: Uint8Array,
  ): number | Promise<Uint8Array> {
    const id = node as InodeId;
    const movesAtime = !this.#noAtimeHandles.has(handle);
    if (this.#fs.files.isCached(id, offset, size)) {
      const count = this.#fs.files.read(id, handle, offset, reply.subarray(0, size), movesAtime);
      if (typeof count === 'number') return count;
      throw new Error('a read of cached blocks was not synchronous');
    }
    // The reply buffer is shared: what has to wait reads into one of its own.
    const own = Buffer.allocUnsafe(size);
    const count = this.#fs.files.read(id, handle, offset, own, movesAtime, context.signal);
    return typeof count === 'number' ? Promise.resolve(own.subarray(0, count)) : count.then((bytes) => own.subarray(0, bytes));
  }

  write(
    context: RequestContext,
    node: number,
    _handle: number,
    offset: bigint,
    data: Uint8Array,
    writeFlags: number,
  ): MaybePromise<number> {
    this.#options.gate.requireOpen();
    const id = node as InodeId;
    const killsSetId = (writeFlags & WriteFlag.KILL_SUIDGID) !== 0;
    const tellsKernel = killsSetId && this.#losesSetIdBits(id);
    const written = this.#fs.files.write(id, offset, data, killsSetId, context);
    return tellsKernel ? this.#afterModeChange(id, written) : written;
  }

  release(_node: number, handle: number): void {
    this.#noAtimeHandles.delete(handle);
  }

  fsync(context: RequestContext, node: number): Promise<void> {
    return this.#fs.sync(node as InodeId, context.signal);
  }

  fsyncdir(context: RequestContext, node: number): Promise<void> {
    return this.#fs.sync(node as InodeId, context.signal);
  }

  syncfs(): Promise<void> {
    return this.#fs.sync();
  }

  readdir(_context: RequestContext, node: number, _handle: number, offset: bigint, filler: DirectoryFiller): void {
    this.#list(node as InodeId, Number(offset), (name, id, mode, cookie) => filler.add(name, id, mode & S_IFMT, cookie));
  }

  readdirplus(_context: RequestContext, node: number, _handle: number, offset: bigint, filler: DirectoryFiller): void {
    const directory = node as InodeId;
    this.#list(directory, Number(offset), (name, id, mode, cookie, inode) => {
      const attributes = inode === undefined ? undefined : this.#fs.stat(inode);
      // Without node id the kernel looks the entry up when it is wanted: `.`, `..`, and directories whose links are still being counted.
      if (inode === undefined || attributes === undefined || attributes instanceof Promise) {
        return filler.addPlus(name, cookie, { ...UNKNOWN_ENTRY, attributes: { ...NO_ATTRIBUTES, ino: id, mode } });
      }
      const added = filler.addPlus(name, cookie, {
        nodeId: id,
        generation: this.#options.generation,
        entryTimeoutMs: FOREVER_MS,
        attributesTimeoutMs: FOREVER_MS,
        attributes,
      });
      if (added) this.#fs.addLookup(id, isDirectory(mode) ? directory : undefined);
      return added;
    });
  }

  statfs(): StatfsReply {
    const statistics = this.#fs.statistics();
    return {
      blocks: statistics.blocks,
      freeBlocks: statistics.freeBlocks,
      availableBlocks: statistics.freeBlocks,
      files: statistics.files,
      freeFiles: statistics.freeFiles,
      blockSizeBytes: statistics.blockSizeBytes,
      fragmentSizeBytes: statistics.blockSizeBytes,
      maxNameLength: MAX_NAME_BYTES,
    };
  }

  setxattr(
    context: RequestContext,
    node: number,
    name: Uint8Array,
    value: Uint8Array,
    flags: number,
    killSgid: boolean,
  ): MaybePromise<void> {
    if (node === CONTROL_INODE) {
      this.#requireOwner(context);
      // The request's buffer does not outlive this call, the action does.
      return this.#options.controlFile.set(Buffer.from(name), Buffer.from(value));
    }
    this.#options.gate.requireOpen();
    this.#fs.xattrs.set(node as InodeId, name, value, flags, killSgid);
    // A kernel that does not check ACLs does not notice either that the mode has followed this one.
    if (!this.#options.kernelChecksPermissions && isAclName(name)) return this.#afterModeChange(node as InodeId, undefined);
  }

  getxattr(context: RequestContext, node: number, name: Uint8Array): Uint8Array {
    if (node === CONTROL_INODE) {
      this.#requireOwner(context);
      return this.#options.controlFile.get(name);
    }
    return this.#fs.xattrs.get(node as InodeId, name);
  }

  /** The kernel keeps trusted attributes from users, but not their names. */
  listxattr(context: RequestContext, node: number): readonly Uint8Array[] {
    if (node === CONTROL_INODE) return [];
    const names = this.#fs.xattrs.list(node as InodeId);
    return lacksPrivileges(context) ? names.filter((name) => !startsWith(name, TRUSTED)) : names;
  }

  removexattr(_context: RequestContext, node: number, name: Uint8Array): void {
    if (node === CONTROL_INODE) throw new FsError('EPERM');
    this.#options.gate.requireOpen();
    this.#fs.xattrs.remove(node as InodeId, name);
  }

  fallocate(context: RequestContext, node: number, _handle: number, mode: number, offset: bigint, length: bigint): MaybePromise<void> {
    this.#options.gate.requireOpen((mode & FALLOC_FL_PUNCH_HOLE) === 0 ? 'any' : 'makes-room');
    const id = node as InodeId;
    const killsSetId = lacksPrivileges(context);
    const tellsKernel = killsSetId && this.#losesSetIdBits(id);
    const allocated = this.#fs.files.fallocate(id, mode, offset, length, killsSetId);
    return tellsKernel ? this.#afterModeChange(id, allocated) : allocated;
  }

  lseek(_context: RequestContext, node: number, _handle: number, offset: bigint, whence: number): bigint {
    return this.#fs.files.seek(node as InodeId, offset, whence);
  }

  copyFileRange(
    context: RequestContext,
    node: number,
    _handle: number,
    offset: bigint,
    outNode: number,
    _outHandle: number,
    outOffset: bigint,
    length: bigint,
  ): Promise<bigint> {
    this.#options.gate.requireOpen();
    const target = outNode as InodeId;
    const killsSetId = lacksPrivileges(context);
    const tellsKernel = killsSetId && this.#losesSetIdBits(target);
    const copied = this.#fs.files.copyRange(node as InodeId, offset, target, outOffset, length, killsSetId, context.signal);
    return tellsKernel ? this.#afterModeChange(target, copied) : copied;
  }

  #losesSetIdBits(id: InodeId): boolean {
    const { mode } = this.#fs.inode(id);
    return withoutSetIdBits(mode) !== mode;
  }

  /**
   * The kernel keeps a mode for ever that was changed on the side: it would go on to run a program as its owner that somebody else has written.
   * So it is told before the caller hears of the change.
   */
  async #afterModeChange<T>(id: InodeId, result: MaybePromise<T>): Promise<T> {
    const value = await result;
    await this.#options.forgetAttributes(id);
    return value;
  }

  /** lsattr and chattr: the only flag is `i`, our `locked`; it can be set, never cleared. */
  ioctl(
    context: RequestContext,
    node: number,
    _handle: number,
    _flags: number,
    command: number,
    _arg: bigint,
    input: Uint8Array,
    outSize: number,
  ): { result: number; output: Uint8Array } {
    const inode = this.#fs.inode(node as InodeId);
    const output = Buffer.alloc(outSize);
    switch (command) {
      case FS_IOC_GETFLAGS:
      case FS_IOC_FSGETXATTR: {
        const bytes = command === FS_IOC_GETFLAGS ? 4 : FSXATTR_BYTES;
        if (outSize < bytes) throw new FsError('EINVAL');
        if (inode.locked) output.writeUInt32LE(command === FS_IOC_GETFLAGS ? FS_IMMUTABLE_FL : FS_XFLAG_IMMUTABLE, 0);
        return { result: 0, output };
      }
      case FS_IOC_SETFLAGS:
      case FS_IOC_FSSETXATTR: {
        if (input.length < 4) throw new FsError('EINVAL');
        const flags = Buffer.from(input.buffer, input.byteOffset, input.byteLength).readUInt32LE(0);
        const immutable = command === FS_IOC_SETFLAGS ? FS_IMMUTABLE_FL : FS_XFLAG_IMMUTABLE;
        if ((flags & ~immutable) !== 0) throw new FsError('EOPNOTSUPP');
        if (context.uid !== 0) throw new FsError('EPERM');
        this.#options.gate.requireOpen();
        this.#fs.attributes.setLocked(inode.id, (flags & immutable) !== 0);
        return { result: 0, output };
      }
      default:
        throw new FsError('ENOTTY');
    }
  }

  #list(
    directory: InodeId,
    offset: number,
    add: (name: Uint8Array, id: InodeId, mode: number, cookie: bigint, inode?: Inode) => boolean,
  ): void {
    if (offset < 1 && !add(DOT, directory, S_IFDIR, 1n)) return;
    if (offset < 2 && !add(DOT_DOT, this.#fs.parentOf(directory) ?? directory, S_IFDIR, BigInt(DOT_COOKIES))) return;
    let cookie = Math.max(0, offset - DOT_COOKIES);
    for (;;) {
      const page = this.#fs.list(directory, cookie, LISTING_PAGE_ENTRIES);
      for (const entry of page) {
        const { attributes } = entry;
        if (!add(entry.name, entry.inode, attributes.mode, BigInt(entry.cookie + DOT_COOKIES), attributes)) return;
        cookie = entry.cookie;
      }
      if (page.length < LISTING_PAGE_ENTRIES) return;
    }
  }

  #entry(inode: Inode): MaybePromise<EntryReply> {
    const attributes = this.#controlled(inode);
    const { generation } = this.#options;
    const common = { nodeId: inode.id, generation, entryTimeoutMs: FOREVER_MS, attributesTimeoutMs: FOREVER_MS };
    return attributes instanceof Promise ? attributes.then((settled) => ({ ...common, attributes: settled })) : { ...common, attributes };
  }

  #attributes(inode: Inode): MaybePromise<AttributesReply> {
    const attributes = this.#controlled(inode);
    return attributes instanceof Promise
      ? attributes.then((settled) => ({ attributesTimeoutMs: FOREVER_MS, attributes: settled }))
      : { attributesTimeoutMs: FOREVER_MS, attributes };
  }

  /** Attributes; the control file shows the mounting user as its owner. */
  #controlled(inode: Inode): ReturnType<FileSystem['stat']> {
    const attributes = this.#fs.stat(inode);
    if (inode.id !== CONTROL_INODE || attributes instanceof Promise) return attributes;
    return { ...attributes, uid: this.#options.ownerUid, gid: this.#options.ownerGid };
  }

  #opened(inode: Inode): MaybePromise<{ entry: EntryReply; open: OpenReply }> {
    const entry = this.#entry(inode);
    const open = this.#openReply(OpenReplyFlag.KEEP_CACHE);
    return entry instanceof Promise ? entry.then((settled) => ({ entry: settled, open })) : { entry, open };
  }

  #openReply(openFlags: number): OpenReply {
    const handle = this.#nextHandle;
    this.#nextHandle += 1;
    return { handle, openFlags };
  }

  #requireOwner(context: RequestContext): void {
    if (context.uid !== 0 && context.uid !== this.#options.ownerUid) throw new FsError('EPERM');
  }
}

/** Requests that don't say whether set-user-id and set-group-id are to go: they go unless root asks. */
function lacksPrivileges({ uid }: RequestContext): boolean {
  return uid !== 0;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}

function caller(context: RequestContext, umask: number): { uid: number; gid: number; umask: number } {
  return { uid: context.uid, gid: context.gid, umask };
}
