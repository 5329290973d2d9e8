/**
 * A file system in memory that knows what of it would be on a disk: what was synced for certain, the rest as a power cut leaves it.
 *
 * Names are in a journal, in the order in which they were made, renamed and removed; a sync of a file or directory makes the journal durable up to
 * the last change of that file's or directory's own names, and with it all earlier ones. That is XFS's order, and less than ext4 gives.
 * Modes, owners and times are taken to be durable at once: nothing here depends on them.
 */
import type {
  Attributes,
  AttributesReply,
  EntryReply,
  OpenReply,
  RequestContext,
  SetAttributes,
  StatfsReply,
} from '../../../src/fuse/handlers.ts';
import { FsError } from '../../../src/util/errors.ts';
import { FALLOC_FL_PUNCH_HOLE, SEEK_DATA } from '../../../src/util/libc.ts';
import { MemoryFileSystem, MemoryNode } from '../fuse/memory-file-system.ts';
import type { Random } from '../random.ts';
import { type Fate, FileHistory, PAGE_BYTES } from './file-history.ts';

/** Names that changed together: each is another node's now, or nobody's. */
interface Renaming {
  readonly moment: number;
  readonly names: ReadonlyArray<readonly [directory: MemoryNode, name: string, node: MemoryNode | undefined]>;
}

type Names = Map<MemoryNode, Map<string, MemoryNode>>;

export class VolatileDisk extends MemoryFileSystem {
  #isOn = true;
  #moment = 0;
  #durableMoment = 0;
  /** Changes of names that are durable are in here, the others in the journal. */
  readonly #names: Names = new Map();
  #journal: Renaming[] = [];
  readonly #histories = new Map<MemoryNode, FileHistory>();
  readonly #allocated = new Map<MemoryNode, Set<number>>();

  /** From now on everything fails. */
  cut(): void {
    this.#isOn = false;
  }

  /** What is on the disk when the power comes back. */
  afterCut(random: Random): VolatileDisk {
    const fates: readonly Fate[] = ['random', 'random', 'lost', 'kept'];
    const fate = random.pick(fates);
    const lastMoment = {
      lost: this.#durableMoment,
      kept: this.#moment,
      random: this.#durableMoment + random.below(this.#moment - this.#durableMoment + 1),
    }[random.pick(fates)];
    const names = this.#namesAt(lastMoment);
    const disk = new VolatileDisk(this.timeoutMs);
    const copies = new Map<MemoryNode, MemoryNode>([[this.root, disk.root]]);
    disk.root.mode = this.root.mode;
    const copyDirectory = (from: MemoryNode, to: MemoryNode): void => {
      for (const [name, node] of names.get(from) ?? []) {
        let copy = copies.get(node);
        if (copy === undefined) {
          copy = new MemoryNode(node.ino, node.mode, node.uid, node.gid);
          copy.nlink = node.isDirectory ? 1 : 0;
          copies.set(node, copy);
          disk.#adopt(node, copy, this.#histories.get(node)?.afterCut(random, fate, lastMoment));
          if (node.isDirectory) copyDirectory(node, copy);
        }
        copy.parent = to;
        copy.nlink += 1;
        if (node.isDirectory) to.nlink += 1;
        to.children.set(name, copy);
        disk.#namesOf(to).set(name, copy);
      }
    };
    copyDirectory(this.root, disk.root);
    disk.reserveInos(this.nextIno);
    return disk;
  }

  override attributes(node: MemoryNode): Attributes {
    const pages = this.#allocated.get(node)?.size ?? 0;
    return { ...super.attributes(node), blocks: BigInt((pages * PAGE_BYTES) / 512) };
  }

  override lookup(context: RequestContext, parent: number, name: Uint8Array): EntryReply {
    this.#requirePower();
    return super.lookup(context, parent, name);
  }

  override symlink(context: RequestContext, parent: number, name: Uint8Array, target: Uint8Array): EntryReply {
    this.#requirePower();
    const entry = super.symlink(context, parent, name, target);
    this.#named([parent, name]);
    return entry;
  }

  override mknod(context: RequestContext, parent: number, name: Uint8Array, mode: number, rdev: number): EntryReply {
    this.#requirePower();
    const entry = super.mknod(context, parent, name, mode, rdev);
    this.#named([parent, name]);
    return entry;
  }

  override mkdir(context: RequestContext, parent: number, name: Uint8Array, mode: number): EntryReply {
    this.#requirePower();
    const entry = super.mkdir(context, parent, name, mode);
    this.#named([parent, name]);
    return entry;
  }

  override create(context: RequestContext, parent: number, name: Uint8Array, mode: number): { entry: EntryReply; open: OpenReply } {
    this.#requirePower();
    const created = super.create(context, parent, name, mode);
    this.#named([parent, name]);
    return created;
  }

  override unlink(context: RequestContext, parent: number, name: Uint8Array): void {
    this.#requirePower();
    // Never asynchronous here.
    void super.unlink(context, parent, name);
    this.#named([parent, name]);
  }

  override rmdir(context: RequestContext, parent: number, name: Uint8Array): void {
    this.#requirePower();
    super.rmdir(context, parent, name);
    this.#named([parent, name]);
  }

  override rename(context: RequestContext, parent: number, name: Uint8Array, newParent: number, newName: Uint8Array, flags: number): void {
    this.#requirePower();
    super.rename(context, parent, name, newParent, newName, flags);
    this.#named([parent, name], [newParent, newName]);
  }

  override link(context: RequestContext, id: number, newParent: number, newName: Uint8Array): EntryReply {
    this.#requirePower();
    const entry = super.link(context, id, newParent, newName);
    this.#named([newParent, newName]);
    return entry;
  }

  override setattr(context: RequestContext, id: number, set: SetAttributes): AttributesReply {
    this.#requirePower();
    const node = this.node(id);
    if (set.size !== undefined) this.#clear(node, Math.min(node.sizeBytes, Number(set.size)), Infinity, Number(set.size));
    return super.setattr(context, id, set);
  }

  override read(context: RequestContext, id: number, handle: number, offset: bigint, size: number, reply: Uint8Array): number {
    this.#requirePower();
    return super.read(context, id, handle, offset, size, reply) as number;
  }

  override write(context: RequestContext, id: number, handle: number, offset: bigint, data: Uint8Array): number {
    this.#requirePower();
    const node = this.node(id);
    const sizeBefore = node.sizeBytes;
    const written = super.write(context, id, handle, offset, data);
    const history = this.#history(node);
    const end = Number(offset) + written;
    for (let page = Math.floor(Number(offset) / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) {
      const bytes = new Uint8Array(PAGE_BYTES);
      bytes.set(node.data.subarray(page * PAGE_BYTES, Math.min(node.sizeBytes, (page + 1) * PAGE_BYTES)));
      history.wrote(page, bytes);
      this.#pages(node).add(page);
    }
    if (node.sizeBytes > sizeBefore) history.grew(node.sizeBytes);
    return written;
  }

  fallocate(_context: RequestContext, id: number, _handle: number, mode: number, offset: bigint, length: bigint): void {
    this.#requirePower();
    if ((mode & FALLOC_FL_PUNCH_HOLE) === 0) throw new FsError('EOPNOTSUPP');
    const node = this.node(id);
    const [start, end] = [Number(offset), Number(offset + length)];
    node.data.fill(0, start, Math.min(end, node.sizeBytes));
    this.#clear(node, start, end);
  }

  lseek(_context: RequestContext, id: number, _handle: number, offset: bigint, whence: number): bigint {
    this.#requirePower();
    const node = this.node(id);
    const pages = this.#pages(node);
    if (Number(offset) >= node.sizeBytes) throw new FsError('ENXIO');
    for (let at = Number(offset); at < node.sizeBytes; at = (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES) {
      if (pages.has(Math.floor(at / PAGE_BYTES)) === (whence === SEEK_DATA)) return BigInt(at);
    }
    if (whence === SEEK_DATA) throw new FsError('ENXIO');
    return BigInt(node.sizeBytes);
  }

  override fsync(_context?: RequestContext, id?: number): void {
    this.#requirePower();
    if (id !== undefined) this.#sync(this.node(id));
  }

  fsyncdir(_context: RequestContext, id: number): void {
    this.#requirePower();
    this.#sync(this.node(id));
  }

  syncfs(): void {
    this.#requirePower();
    for (const history of this.#histories.values()) history.sync();
    this.#makeDurable(this.#moment);
  }

  override statfs(): StatfsReply {
    return { ...super.statfs(), freeBlocks: 100_000_000n, availableBlocks: 100_000_000n, blocks: 200_000_000n };
  }

  #requirePower(): void {
    if (!this.#isOn) throw new FsError('EIO');
  }

  /** Notes what these names are now. */
  #named(...places: ReadonlyArray<readonly [parent: number, name: Uint8Array]>): void {
    const names = places.map(([parent, bytes]) => {
      const directory = this.node(parent);
      const name = Buffer.from(bytes).toString('latin1');
      return [directory, name, directory.children.get(name)] as const;
    });
    this.#moment += 1;
    this.#journal.push({ moment: this.#moment, names });
  }

  #clear(node: MemoryNode, start: number, end: number, sizeBytes?: number): void {
    this.#moment += 1;
    this.#history(node).cleared(start, end, this.#moment, sizeBytes);
    const pages = this.#pages(node);
    for (const page of pages) if (page * PAGE_BYTES >= start && (page + 1) * PAGE_BYTES <= end) pages.delete(page);
  }

  #sync(node: MemoryNode): void {
    const history = this.#histories.get(node);
    const concerns = ({ names }: Renaming): boolean => names.some(([directory, , named]) => directory === node || named === node);
    const renamed = this.#journal.findLast(concerns)?.moment ?? 0;
    this.#makeDurable(Math.max(this.#durableMoment, renamed, history?.lastMoment ?? 0));
    history?.sync();
  }

  #makeDurable(moment: number): void {
    for (const renaming of this.#journal) if (renaming.moment <= moment) apply(renaming, this.#names);
    this.#journal = this.#journal.filter((renaming) => renaming.moment > moment);
    this.#durableMoment = moment;
  }

  #namesAt(lastMoment: number): Names {
    const names: Names = new Map([...this.#names].map(([directory, entries]) => [directory, new Map(entries)]));
    for (const renaming of this.#journal) if (renaming.moment <= lastMoment) apply(renaming, names);
    return names;
  }

  #namesOf(directory: MemoryNode): Map<string, MemoryNode> {
    return namesOf(directory, this.#names);
  }

  #history(node: MemoryNode): FileHistory {
    let history = this.#histories.get(node);
    if (history === undefined) this.#histories.set(node, (history = new FileHistory()));
    return history;
  }

  #pages(node: MemoryNode): Set<number> {
    let pages = this.#allocated.get(node);
    if (pages === undefined) this.#allocated.set(node, (pages = new Set()));
    return pages;
  }

  /** Takes over a node of the disk before the cut. */
  #adopt(node: MemoryNode, copy: MemoryNode, content: ReturnType<FileHistory['afterCut']> | undefined): void {
    this.nodes.set(copy.ino, copy);
    for (const [name, value] of node.xattrs) copy.xattrs.set(name, value);
    if (content === undefined) {
      if (!node.isDirectory) copy.data = node.data;
      if (!node.isDirectory) copy.sizeBytes = node.sizeBytes;
      return;
    }
    copy.resize(content.sizeBytes);
    for (const [page, bytes] of content.pages) {
      copy.data.set(bytes.subarray(0, Math.min(PAGE_BYTES, content.sizeBytes - page * PAGE_BYTES)), page * PAGE_BYTES);
    }
    this.#histories.set(copy, new FileHistory(content));
    this.#allocated.set(copy, new Set(content.pages.keys()));
  }
}

function apply({ names }: Renaming, to: Names): void {
  for (const [directory, name, node] of names) {
    if (node === undefined) namesOf(directory, to).delete(name);
    else namesOf(directory, to).set(name, node);
  }
}

function namesOf(directory: MemoryNode, names: Names): Map<string, MemoryNode> {
  let entries = names.get(directory);
  if (entries === undefined) names.set(directory, (entries = new Map()));
  return entries;
}
