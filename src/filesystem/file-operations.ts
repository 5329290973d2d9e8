/**
 * Operations on the contents of regular files: open, read, write, truncate, fallocate, lseek, copy. The kernel serialises writes, truncations and
 * fallocate of one file (inode lock), not reads and not page writeback of mmaps; the block layer orders what meets on one block.
 * Times and size change only after the data is in place.
 */
import type { BlockWaiter } from '../blocks/block-cache.ts';
import { FsError } from '../util/errors.ts';
import { CONTROL_INODE, type Inode, type InodeId } from '../metadata/types.ts';
import { accessed, accessTimeIsDue } from './access-times.ts';
import { type FileSystemContext, requireInode, requireUnlocked } from './context.ts';
import { isDirectory, isRegularFile, withoutSetIdBits } from './file-mode.ts';

/** Largest file size and offset (off_t). */
export const MAX_FILE_BYTES: bigint = 2n ** 63n - 1n;

export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

export class FileOperations {
  readonly #context: FileSystemContext;

  constructor(context: FileSystemContext) {
    this.#context = context;
  }

  /** Checks that the file may be opened that way. Returns whether reads through this descriptor will move its atime. */
  open(id: InodeId, forWriting: boolean): { atimeDue: boolean } {
    if (id === CONTROL_INODE) throw new FsError('EACCES', 'the control file cannot be opened');
    const inode = forWriting ? requireUnlocked(this.#context, id) : requireInode(this.#context, id);
    if (isDirectory(inode.mode) && forWriting) throw new FsError('EISDIR');
    return { atimeDue: accessTimeIsDue(this.#context, inode) };
  }

  /** Whether `read` of the range would be synchronous now. */
  isCached(id: InodeId, offset: bigint, lengthBytes: number): boolean {
    const inode = requireInode(this.#context, id);
    const end = offset + BigInt(lengthBytes);
    const available = end > inode.size ? inode.size - offset : BigInt(lengthBytes);
    return available <= 0n || this.#context.blocks.isCached(id, offset, Number(available));
  }

  /**
   * Fills `into` from `offset`; returns how many bytes there were before the end of the file. `reader` identifies the open file.
   * @throws FsError EIO; EINTR if aborted while it waits for the store
   */
  read(
    id: InodeId,
    reader: number,
    offset: bigint,
    into: Uint8Array,
    movesAtime: boolean = true,
    signal?: AbortSignal,
  ): number | Promise<number> {
    const inode = requireInode(this.#context, id);
    if (offset >= inode.size) return 0;
    const available = inode.size - offset;
    const lengthBytes = available < BigInt(into.length) ? Number(available) : into.length;
    if (movesAtime) accessed(this.#context, inode);
    if (offset === 0n) this.#context.listingReadAhead.noteRead(id);
    const done = this.#context.blocks.read(id, offset, into.subarray(0, lengthBytes), {
      handle: reader,
      fileSize: inode.size,
      ...(signal === undefined ? {} : { signal }),
    });
    return done === undefined ? lengthBytes : done.then(() => lengthBytes);
  }

  /** `killSetId`: the writer lacks CAP_FSETID. @throws FsError EFBIG, ENOSPC, EPERM (locked); EINTR if the waiter is interrupted */
  write(id: InodeId, offset: bigint, data: Uint8Array, killSetId: boolean, waiter?: BlockWaiter): number | Promise<number> {
    requireUnlocked(this.#context, id);
    const end = offset + BigInt(data.length);
    if (end > MAX_FILE_BYTES) throw new FsError('EFBIG');
    if (data.length === 0) return 0;
    const done = this.#context.blocks.write(id, offset, data, waiter);
    if (done === undefined) {
      this.#modified(id, end, killSetId);
      return data.length;
    }
    return done.then(() => {
      this.#modified(id, end, killSetId);
      return data.length;
    });
  }

  truncate(id: InodeId, size: bigint, killSetId: boolean, waiter?: BlockWaiter): void | Promise<void> {
    const inode = requireUnlocked(this.#context, id);
    if (isDirectory(inode.mode)) throw new FsError('EISDIR');
    if (!isRegularFile(inode.mode) || size < 0n) throw new FsError('EINVAL');
    if (size > MAX_FILE_BYTES) throw new FsError('EFBIG');
    if (size >= inode.size) {
      this.#resized(id, size, killSetId);
      return undefined;
    }
    // The size goes with the blocks: a crash must not leave the one without the other.
    return this.#context.blocks.truncate(id, size, () => this.#resized(id, size, killSetId), waiter);
  }

  /** fallocate(2). Space is never reserved (the store has no quota to reserve from); ENOSPC can still come from a later write. */
  fallocate(id: InodeId, mode: number, offset: bigint, lengthBytes: bigint, killSetId: boolean): void | Promise<void> {
    const inode = requireUnlocked(this.#context, id);
    if (isDirectory(inode.mode)) throw new FsError('EISDIR');
    if (!isRegularFile(inode.mode)) throw new FsError('ENODEV');
    if (offset < 0n || lengthBytes <= 0n) throw new FsError('EINVAL');
    const end = offset + lengthBytes;
    if (end > MAX_FILE_BYTES) throw new FsError('EFBIG');
    const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
    const newSize = keepSize || end <= inode.size ? inode.size : end;
    switch (mode & ~FALLOC_FL_KEEP_SIZE) {
      case 0:
        if (newSize !== inode.size) this.#resized(id, newSize, killSetId);
        return undefined;
      case FALLOC_FL_PUNCH_HOLE:
        if (!keepSize) throw new FsError('EOPNOTSUPP', 'punching needs FALLOC_FL_KEEP_SIZE');
        return this.#zero(inode, offset, lengthBytes, inode.size, killSetId);
      case FALLOC_FL_ZERO_RANGE:
        return this.#zero(inode, offset, lengthBytes, newSize, killSetId);
      case FALLOC_FL_COLLAPSE_RANGE:
        if (keepSize) throw new FsError('EINVAL');
        return this.#collapse(inode, offset, lengthBytes, killSetId);
      case FALLOC_FL_INSERT_RANGE:
        if (keepSize) throw new FsError('EINVAL');
        return this.#insert(inode, offset, lengthBytes, killSetId);
      default:
        throw new FsError('EOPNOTSUPP', 'unknown fallocate mode');
    }
  }

  /** lseek(2) with SEEK_DATA or SEEK_HOLE. @throws FsError ENXIO */
  seek(id: InodeId, offset: bigint, whence: number): bigint {
    const { size } = requireInode(this.#context, id);
    if (offset < 0n || offset >= size) throw new FsError('ENXIO');
    if (whence === SEEK_DATA) {
      const data = this.#context.blocks.seekData(id, offset);
      if (data === undefined || data >= size) throw new FsError('ENXIO');
      return data;
    }
    if (whence !== SEEK_HOLE) throw new FsError('EINVAL');
    const hole = this.#context.blocks.seekHole(id, offset);
    return hole < size ? hole : size;
  }

  /**
   * copy_file_range(2): by reference where both offsets lie on block borders. Returns the bytes copied: fewer than there are if something fails
   * after the first of them. @throws FsError EIO, ENOSPC, EINTR, EFBIG, EINVAL, EISDIR, EPERM (locked)
   */
  async copyRange(
    source: InodeId,
    sourceOffset: bigint,
    target: InodeId,
    targetOffset: bigint,
    lengthBytes: bigint,
    killSetId: boolean,
    signal: AbortSignal,
  ): Promise<bigint> {
    const from = requireInode(this.#context, source);
    const to = requireUnlocked(this.#context, target);
    if (isDirectory(from.mode) || isDirectory(to.mode)) throw new FsError('EISDIR');
    if (!isRegularFile(from.mode) || !isRegularFile(to.mode)) throw new FsError('EINVAL');
    if (sourceOffset >= from.size || lengthBytes === 0n) return 0n;
    const available = from.size - sourceOffset;
    const copied = lengthBytes < available ? lengthBytes : available;
    const end = targetOffset + copied;
    if (end > MAX_FILE_BYTES) throw new FsError('EFBIG');
    if (source === target && sourceOffset < end && targetOffset < sourceOffset + copied) throw new FsError('EINVAL', 'ranges overlap');
    accessed(this.#context, from);
    let doneBytes = 0n;
    const onProgress = (bytes: bigint): void => {
      doneBytes = bytes;
      this.#modified(target, targetOffset + bytes, killSetId);
    };
    try {
      await this.#context.blocks.clone(source, sourceOffset, target, targetOffset, copied, { signal, onProgress });
    } catch (error) {
      // As write(2): what has been copied counts, the next call meets the error.
      if (doneBytes === 0n) throw error;
    }
    return doneBytes;
  }

  async #zero(inode: Inode, offset: bigint, lengthBytes: bigint, newSize: bigint, killSetId: boolean): Promise<void> {
    await this.#context.blocks.punch(inode.id, offset, lengthBytes);
    this.#resized(inode.id, newSize, killSetId);
  }

  /** Takes the range out; what follows moves down. */
  async #collapse(inode: Inode, offset: bigint, lengthBytes: bigint, killSetId: boolean): Promise<void> {
    const { blocks } = this.#context;
    const { id, size } = inode;
    if (offset + lengthBytes >= size) throw new FsError('EINVAL', 'range reaches the end of the file');
    for (let position = offset + lengthBytes; position < size; position += lengthBytes) {
      const part = size - position < lengthBytes ? size - position : lengthBytes;
      await blocks.clone(id, position, id, position - lengthBytes, part);
    }
    await blocks.truncate(id, size - lengthBytes, () => this.#resized(id, size - lengthBytes, killSetId));
  }

  /** Opens a hole; what lies at and behind it moves up. */
  async #insert(inode: Inode, offset: bigint, lengthBytes: bigint, killSetId: boolean): Promise<void> {
    const { blocks } = this.#context;
    const { id, size } = inode;
    if (offset >= size) throw new FsError('EINVAL', 'offset is not inside the file');
    if (size + lengthBytes > MAX_FILE_BYTES) throw new FsError('EFBIG');
    // From the end, in parts no longer than the shift, so that no part overlaps its own target.
    for (let end = size; end > offset;) {
      const start = end - lengthBytes > offset ? end - lengthBytes : offset;
      await blocks.clone(id, start, id, start + lengthBytes, end - start);
      end = start;
    }
    await blocks.punch(id, offset, lengthBytes);
    this.#resized(id, size + lengthBytes, killSetId);
  }

  /** After a write that ended at `end`. */
  #modified(id: InodeId, end: bigint, killSetId: boolean): void {
    const inode = this.#context.database.inodes.get(id);
    // Purged while the write waited: only possible once nothing has the file open, so nobody can see it.
    if (inode === undefined) return;
    this.#resized(id, end > inode.size ? end : inode.size, killSetId);
  }

  #resized(id: InodeId, size: bigint, killSetId: boolean): void {
    const { database, clock, commits } = this.#context;
    const inode = requireInode(this.#context, id);
    inode.size = size;
    inode.mtimeNs = clock();
    inode.ctimeNs = inode.mtimeNs;
    if (killSetId) inode.mode = withoutSetIdBits(inode.mode);
    database.inodes.update(inode);
    commits.changed();
  }
}
