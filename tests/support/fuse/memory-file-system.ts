/** A small file system in memory, enough for tools: what mounts are tested and measured with. Permissions are the kernel's business. */
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
} from '../../../src/fuse/handlers.ts';
import { FsError } from '../../../src/util/errors.ts';

const { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } = { S_IFDIR: 0o040_000, S_IFLNK: 0o120_000, S_IFMT: 0o170_000, S_IFREG: 0o100_000 };
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const FIRST_CAPACITY_BYTES = 4096;

export class MemoryNode {
  readonly ino: number;
  mode: number;
  uid: number;
  gid: number;
  rdev = 0;
  nlink = 1;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Contents up to `sizeBytes`; a link's target. */
  data: Uint8Array = new Uint8Array(0);
  sizeBytes = 0;
  parent: MemoryNode | undefined;
  /** Names are bytes, kept one to a character. */
  readonly children: Map<string, MemoryNode> = new Map();
  readonly xattrs: Map<string, Uint8Array> = new Map();
  lookups = 0;

  constructor(ino: number, mode: number, uid: number, gid: number) {
    const now = nowNs();
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.atimeNs = now;
    this.mtimeNs = now;
    this.ctimeNs = now;
  }

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  resize(sizeBytes: number): void {
    if (sizeBytes > this.data.length) {
      const grown = new Uint8Array(Math.max(sizeBytes, this.data.length * 2, FIRST_CAPACITY_BYTES));
      grown.set(this.data.subarray(0, this.sizeBytes));
      this.data = grown;
    } else if (sizeBytes < this.sizeBytes) {
      this.data.fill(0, sizeBytes, this.sizeBytes);
    }
    this.sizeBytes = sizeBytes;
  }
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function key(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
}

export class MemoryFileSystem implements Handlers {
  readonly nodes: Map<number, MemoryNode> = new Map();
  readonly root: MemoryNode = new MemoryNode(1, S_IFDIR | 0o777, 0, 0);
  readonly timeoutMs: number;
  forgotten = 0;
  destroyed = 0;
  #nextIno = 2;

  /** The number that the next node gets. */
  get nextIno(): number {
    return this.#nextIno;
  }

  /** Nodes get numbers from this one on. */
  reserveInos(nextIno: number): void {
    this.#nextIno = nextIno;
  }

  constructor(timeoutMs: number = 0) {
    this.timeoutMs = timeoutMs;
    this.root.parent = this.root;
    this.root.nlink = 2;
    this.root.lookups = 1;
    this.nodes.set(1, this.root);
  }

  node(id: number): MemoryNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new FsError('ESTALE');
    return node;
  }

  child(parent: number, name: Uint8Array): MemoryNode {
    const node = this.node(parent).children.get(key(name));
    if (node === undefined) throw new FsError('ENOENT');
    return node;
  }

  attributes(node: MemoryNode): Attributes {
    return {
      ino: node.ino,
      size: BigInt(node.sizeBytes),
      blocks: BigInt(Math.ceil(node.sizeBytes / 512)),
      atimeNs: node.atimeNs,
      mtimeNs: node.mtimeNs,
      ctimeNs: node.ctimeNs,
      mode: node.mode,
      nlink: node.nlink,
      uid: node.uid,
      gid: node.gid,
      rdev: node.rdev,
      blockSizeBytes: 4096,
    };
  }

  #entry(node: MemoryNode): EntryReply {
    node.lookups += 1;
    return {
      nodeId: node.ino,
      generation: 0,
      entryTimeoutMs: this.timeoutMs,
      attributesTimeoutMs: this.timeoutMs,
      attributes: this.attributes(node),
    };
  }

  #add(context: RequestContext, parentId: number, name: Uint8Array, mode: number): MemoryNode {
    const parent = this.node(parentId);
    if (parent.children.has(key(name))) throw new FsError('EEXIST');
    const node = new MemoryNode(this.#nextIno, mode, context.uid, context.gid);
    this.#nextIno += 1;
    node.parent = parent;
    this.nodes.set(node.ino, node);
    parent.children.set(key(name), node);
    parent.mtimeNs = nowNs();
    return node;
  }

  #remove(parentId: number, name: Uint8Array): void {
    const parent = this.node(parentId);
    const node = this.child(parentId, name);
    parent.children.delete(key(name));
    parent.mtimeNs = nowNs();
    node.nlink -= 1;
    node.ctimeNs = parent.mtimeNs;
    if (node.nlink <= 0 && node.lookups <= 0) this.nodes.delete(node.ino);
  }

  lookup(_context: RequestContext, parent: number, name: Uint8Array): EntryReply {
    return this.#entry(this.child(parent, name));
  }

  forget(id: number, count: number): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.forgotten += count;
    node.lookups -= count;
    if (node.lookups <= 0 && node.nlink <= 0) this.nodes.delete(id);
  }

  getattr(_context: RequestContext, id: number): AttributesReply {
    return { attributesTimeoutMs: this.timeoutMs, attributes: this.attributes(this.node(id)) };
  }

  setattr(_context: RequestContext, id: number, set: SetAttributes): AttributesReply {
    const node = this.node(id);
    const now = nowNs();
    if (set.mode !== undefined) node.mode = (node.mode & S_IFMT) | (set.mode & ~S_IFMT);
    if (set.uid !== undefined) node.uid = set.uid;
    if (set.gid !== undefined) node.gid = set.gid;
    if (set.size !== undefined) {
      node.resize(Number(set.size));
      node.mtimeNs = now;
    }
    if (set.atimeNs !== undefined) node.atimeNs = set.atimeNs === 'now' ? now : set.atimeNs;
    if (set.mtimeNs !== undefined) node.mtimeNs = set.mtimeNs === 'now' ? now : set.mtimeNs;
    node.ctimeNs = now;
    return { attributesTimeoutMs: this.timeoutMs, attributes: this.attributes(node) };
  }

  readlink(_context: RequestContext, id: number): Uint8Array {
    return this.node(id).data;
  }

  symlink(context: RequestContext, parent: number, name: Uint8Array, target: Uint8Array): EntryReply {
    const node = this.#add(context, parent, name, S_IFLNK | 0o777);
    node.data = target.slice();
    node.sizeBytes = target.length;
    return this.#entry(node);
  }

  mknod(context: RequestContext, parent: number, name: Uint8Array, mode: number, rdev: number): EntryReply {
    const node = this.#add(context, parent, name, mode);
    node.rdev = rdev;
    return this.#entry(node);
  }

  mkdir(context: RequestContext, parent: number, name: Uint8Array, mode: number): EntryReply {
    const node = this.#add(context, parent, name, S_IFDIR | (mode & ~S_IFMT));
    node.nlink = 2;
    this.node(parent).nlink += 1;
    return this.#entry(node);
  }

  unlink(_context: RequestContext, parent: number, name: Uint8Array): MaybePromise<void> {
    if (this.child(parent, name).isDirectory) throw new FsError('EISDIR');
    this.#remove(parent, name);
  }

  rmdir(_context: RequestContext, parent: number, name: Uint8Array): void {
    const node = this.child(parent, name);
    if (!node.isDirectory) throw new FsError('ENOTDIR');
    if (node.children.size > 0) throw new FsError('ENOTEMPTY');
    node.nlink -= 1;
    this.node(parent).nlink -= 1;
    this.#remove(parent, name);
  }

  rename(_context: RequestContext, parentId: number, name: Uint8Array, newParentId: number, newName: Uint8Array, flags: number): void {
    const node = this.child(parentId, name);
    const parent = this.node(parentId);
    const newParent = this.node(newParentId);
    const target = newParent.children.get(key(newName));
    if (target === node) return;
    if (target !== undefined && flags & RENAME_NOREPLACE) throw new FsError('EEXIST');
    if (flags & RENAME_EXCHANGE) {
      if (target === undefined) throw new FsError('ENOENT');
      parent.children.set(key(name), target);
      target.parent = parent;
    } else {
      if (target !== undefined) {
        if (target.isDirectory) this.rmdir(_context, newParentId, newName);
        else this.#remove(newParentId, newName);
      }
      parent.children.delete(key(name));
      if (node.isDirectory) {
        parent.nlink -= 1;
        newParent.nlink += 1;
      }
    }
    newParent.children.set(key(newName), node);
    node.parent = newParent;
  }

  link(_context: RequestContext, id: number, newParent: number, newName: Uint8Array): EntryReply {
    const node = this.node(id);
    const parent = this.node(newParent);
    if (parent.children.has(key(newName))) throw new FsError('EEXIST');
    parent.children.set(key(newName), node);
    node.nlink += 1;
    return this.#entry(node);
  }

  open(_context: RequestContext, id: number): OpenReply {
    this.node(id);
    return { handle: id, openFlags: 0 };
  }

  create(context: RequestContext, parent: number, name: Uint8Array, mode: number): { entry: EntryReply; open: OpenReply } {
    const node = this.#add(context, parent, name, S_IFREG | (mode & ~S_IFMT));
    return { entry: this.#entry(node), open: { handle: node.ino, openFlags: 0 } };
  }

  read(
    _context: RequestContext,
    id: number,
    _handle: number,
    offset: bigint,
    size: number,
    reply: Uint8Array,
  ): number | Promise<Uint8Array> {
    const node = this.node(id);
    const start = Number(offset);
    const end = Math.min(start + size, node.sizeBytes);
    if (end <= start) return 0;
    reply.set(node.data.subarray(start, end));
    return end - start;
  }

  write(_context: RequestContext, id: number, _handle: number, offset: bigint, data: Uint8Array): number {
    const node = this.node(id);
    const start = Number(offset);
    if (start + data.length > node.sizeBytes) node.resize(start + data.length);
    node.data.set(data, start);
    node.mtimeNs = nowNs();
    return data.length;
  }

  fsync(): void {}

  release(): void {}

  readdir(_context: RequestContext, id: number, _handle: number, offset: bigint, filler: DirectoryFiller): void {
    this.#list(id, offset, (name, node, next) => filler.add(name, node.ino, node.mode, next));
  }

  readdirplus(_context: RequestContext, id: number, _handle: number, offset: bigint, filler: DirectoryFiller): void {
    this.#list(id, offset, (name, node, next) => {
      if (!filler.fits(name.length)) return false;
      const isDot = next <= 2n;
      const entry = isDot ? { ...this.#entry(node), nodeId: 0 } : this.#entry(node);
      if (isDot) node.lookups -= 1;
      return filler.addPlus(name, next, entry);
    });
  }

  #list(id: number, offset: bigint, add: (name: Uint8Array, node: MemoryNode, next: bigint) => boolean): void {
    const directory = this.node(id);
    const entries: [string, MemoryNode][] = [['.', directory], ['..', directory.parent ?? directory], ...directory.children];
    for (const [index, [name, node]] of entries.entries()) {
      if (BigInt(index) >= offset && !add(Buffer.from(name, 'latin1'), node, BigInt(index + 1))) return;
    }
  }

  statfs(): StatfsReply {
    return {
      blocks: 1_000_000n,
      freeBlocks: 900_000n,
      availableBlocks: 800_000n,
      files: 1000n,
      freeFiles: 900n,
      blockSizeBytes: 4096,
      fragmentSizeBytes: 4096,
      maxNameLength: 255,
    };
  }

  setxattr(_context: RequestContext, id: number, name: Uint8Array, value: Uint8Array): void {
    this.node(id).xattrs.set(key(name), value.slice());
  }

  getxattr(_context: RequestContext, id: number, name: Uint8Array): Uint8Array {
    const value = this.node(id).xattrs.get(key(name));
    if (value === undefined) throw new FsError('ENODATA');
    return value;
  }

  listxattr(_context: RequestContext, id: number): readonly Uint8Array[] {
    return [...this.node(id).xattrs.keys()].map((name) => Buffer.from(name, 'latin1'));
  }

  removexattr(_context: RequestContext, id: number, name: Uint8Array): void {
    if (!this.node(id).xattrs.delete(key(name))) throw new FsError('ENODATA');
  }

  destroy(): void {
    this.destroyed += 1;
  }
}
