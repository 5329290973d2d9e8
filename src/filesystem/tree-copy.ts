/**
 * s3qlcp: a copy of a tree by reference, the cheap snapshot. Rows are copied, data is not: both files are held by the same objects. Hard links
 * inside the tree stay links among the copies, links to files outside become files of their own; locks are not copied.
 *
 * What is dirty is uploaded first, because only objects can be shared. A file that is written to while the copy is under way is flushed again
 * when it is its turn, so each file is copied as it was at one moment.
 *
 * Runs of small files, most of any tree, are copied by a few statements; what lies between the listing of a directory's page and the copying
 * of its entries is not interrupted, else the page is read again.
 */
import { setImmediate } from 'node:timers/promises';
import type { Inode, InodeId } from '../metadata/types.ts';
import { FsError } from '../util/errors.ts';
import { TimeSlices } from '../util/time-slices.ts';
import { type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import { isDirectory, isRegularFile, isSymlink } from './file-mode.ts';
import type { TreeEntry } from './tree-walk.ts';

const PAGE_ENTRIES = 100;
const BLOCKS_PER_SLICE = 1_000;
/** A file of no more is small; a run of small files has no more in all. 1,024 blocks of the smallest size there is. */
const RUN_BYTES = 1024n * 1024n;

/** A directory of the tree that is to be copied into another. */
interface PendingDirectory {
  readonly source: InodeId;
  readonly target: InodeId;
}

/**
 * Copies what is in `source` into the empty directory `target`, which gets the source's attributes. `onCopied` is told how many entries were
 * copied since its last call. @throws FsError ENOTDIR, ENOTEMPTY, EPERM
 */
export async function copyTree(
  context: FileSystemContext,
  source: InodeId,
  target: InodeId,
  onCopied: (entryCount: number) => void = () => {},
): Promise<void> {
  const { database, blocks } = context;
  if (!isDirectory(requireInode(context, source).mode)) throw new FsError('ENOTDIR');
  const targetInode = requireUnlocked(context, target);
  if (!isDirectory(targetInode.mode)) throw new FsError('ENOTDIR');
  if (!database.entries.isEmpty(target)) throw new FsError('ENOTEMPTY');
  await blocks.flush();
  copyAttributes(context, source, target);
  await new TreeCopy(context, target, onCopied).run({ source, target });
}

/** A file whose blocks take longer. */
interface WaitingCopy {
  readonly cookie: number;
  /** Of the page, itself included. */
  readonly entryCount: number;
  /** Resolves when its blocks are copied. */
  readonly done: Promise<void>;
}

class TreeCopy {
  readonly #context: FileSystemContext;
  /** Of the whole copy: is not copied itself. */
  readonly #target: InodeId;
  readonly #onCopied: (entryCount: number) => void;
  /** Copies of files with several links, by original. */
  readonly #linkedCopies = new Map<InodeId, InodeId>();
  readonly #pending: PendingDirectory[] = [];
  readonly #slices = new TimeSlices();

  constructor(context: FileSystemContext, target: InodeId, onCopied: (entryCount: number) => void) {
    this.#context = context;
    this.#target = target;
    this.#onCopied = onCopied;
  }

  async run(top: PendingDirectory): Promise<void> {
    this.#pending.push(top);
    for (let directory = this.#pending.pop(); directory !== undefined; directory = this.#pending.pop())
      await this.#copyDirectory(directory);
  }

  async #copyDirectory(directory: PendingDirectory): Promise<void> {
    const { database, commits, subdirectories } = this.#context;
    for (let cookie: number | undefined = 0; cookie !== undefined;) {
      if (this.#slices.isOver) await this.#slices.next();
      // Somebody may have removed the copy meanwhile.
      if (requireInode(this.#context, directory.target).linkCount === 0) throw new FsError('ENOENT');
      const page = database.entries.listWithInodes(directory.source, cookie, PAGE_ENTRIES);
      const waiting = this.#copyPage(directory, page);
      subdirectories.invalidate(directory.target);
      commits.changed();
      await waiting?.done;
      cookie = waiting?.cookie ?? page.at(-1)?.cookie;
      this.#onCopied(waiting?.entryCount ?? page.length);
    }
  }

  /** Copies the entries of the page, up to one whose blocks cannot be copied at once. */
  #copyPage(directory: PendingDirectory, page: readonly TreeEntry[]): WaitingCopy | undefined {
    for (let at = 0; at < page.length;) {
      const runLength = this.#copySmallFiles(directory, page, at);
      at += runLength;
      const entry = page[at];
      if (runLength > 0 || entry === undefined) continue;
      at += 1;
      if (isDirectory(entry.attributes.mode) && entry.inode === this.#target) continue;
      const copied = this.#copyEntry(entry, directory.target);
      if (copied !== undefined) return { cookie: entry.cookie, entryCount: at, done: copyBlocks(this.#context, entry.inode, copied) };
    }
    return undefined;
  }

  /** Copies the small files that the page has from `first` on, one after the other. Returns how many. */
  #copySmallFiles({ source, target }: PendingDirectory, page: readonly TreeEntry[], first: number): number {
    let sizeBytes = 0n;
    let end = first;
    for (let entry = page[end]; entry !== undefined && this.#isSmallFile(entry); entry = page[end]) {
      if (sizeBytes + entry.attributes.size > RUN_BYTES) break;
      sizeBytes += entry.attributes.size;
      end += 1;
    }
    const [firstEntry, lastEntry] = [page[first], page[end - 1]];
    const count = end - first;
    if (count === 0 || firstEntry === undefined || lastEntry === undefined) return 0;
    const { database } = this.#context;
    database.atomic(() =>
      database.copyFiles({ source, target, firstCookie: firstEntry.cookie, lastCookie: lastEntry.cookie, count, sizeBytes }),
    );
    return count;
  }

  /** Whether nothing but its entry, its inode and its blocks belong to it. */
  #isSmallFile({ inode, attributes }: TreeEntry): boolean {
    const { blocks, database } = this.#context;
    return (
      isRegularFile(attributes.mode) &&
      attributes.linkCount === 1 &&
      attributes.size <= RUN_BYTES &&
      !blocks.hasDirtyBlocks(inode) &&
      !(database.xattrs.any() && database.xattrs.names(inode).length > 0)
    );
  }

  /** Returns the new inode if it still needs its blocks. */
  #copyEntry(entry: TreeEntry, copyParent: InodeId): InodeId | undefined {
    const { database } = this.#context;
    const { attributes } = entry;
    const linkedCopy = this.#linkedCopies.get(entry.inode);
    if (linkedCopy !== undefined) {
      const inode = requireInode(this.#context, linkedCopy);
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
      copyXattrs(this.#context, entry.inode, inode.id);
      return inode;
    });
    if (isDirectory(attributes.mode)) this.#pending.push({ source: entry.inode, target: copy.id });
    else if (attributes.linkCount > 1) this.#linkedCopies.set(entry.inode, copy.id);
    return isRegularFile(attributes.mode) && attributes.size > 0n ? copy.id : undefined;
  }
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
