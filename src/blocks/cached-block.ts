/**
 * One slot in use: a block of a file with its bytes on local disk. One object per block, so it is kept small.
 *
 * States and who changes them (block-states.ts only):
 *   dirty     the bytes are newer than what the database refers to
 *   settling  uploaded and linked, but the epoch with the link isn't durable: a crash may make it dirty again
 *   clean     the durable database refers to an object with the same bytes; may be evicted
 *   gone      no longer in the index; the slot is freed once nothing can come back to it
 */
import type { Epoch } from '../metadata/database.ts';
import type { BlockIndex, InodeId, ObjectId } from '../metadata/types.ts';
import type { BlockList } from './block-list.ts';
import type { Segment } from './segment.ts';

export type BlockState = 'dirty' | 'settling' | 'clean' | 'gone';

/** Granularity in which file systems allocate and punch. */
export const PAGE_BYTES = 4096;

export class CachedBlock {
  readonly inode: InodeId;
  readonly block: BlockIndex;
  readonly segment: Segment;
  readonly slot: number;
  state: BlockState = 'dirty';
  sequence = 0;
  /** Bytes that count; what lies behind reads as zeros. */
  lengthBytes = 0;
  /** End of the bytes in the slot that may differ from zero; beyond `lengthBytes` only after a cut that is in the record, or if clean. */
  staleEndBytes = 0;
  /** Pages [firstPage, endPage) of the slot may be allocated. */
  firstPage = 0;
  endPage = 0;
  /** The object with these bytes, if settling or clean. */
  objectId: ObjectId = 0 as ObjectId;
  provisional = false;
  validFrom = 0;
  givenUpAt = 0;
  cutAt = 0;
  /** Grows with every change of the bytes. */
  version = 0;
  /** The version whose bytes the open or committed database links to, -1 if none since the block is here. */
  linkedVersion = -1;
  /** Of the last change, in the clock of performance.now(). */
  changedMs = 0;
  /** Of the link (settling) or of the giving up (gone). */
  epoch: Epoch = 0;
  /** The segment's write counter after the last write to this slot's data. */
  writeNumber = 0;
  /** The same for its record. */
  recordNumber = 0;

  /** Operations that fetched the block in order to change it, and must find it when they go on. */
  pinCount = 0;

  list: BlockList | undefined = undefined;
  previous: CachedBlock | undefined = undefined;
  next: CachedBlock | undefined = undefined;

  constructor(inode: InodeId, block: BlockIndex, segment: Segment, slot: number) {
    this.inode = inode;
    this.block = block;
    this.segment = segment;
    this.slot = slot;
  }

  get allocatedBytes(): number {
    return (this.endPage - this.firstPage) * PAGE_BYTES;
  }

  /** How many more bytes would be allocated after a write of [from, end) in the slot. Counts what lies between two writes, too. */
  growthBytes(from: number, end: number): number {
    const firstPage = Math.floor(from / PAGE_BYTES);
    const endPage = Math.ceil(end / PAGE_BYTES);
    if (this.endPage === 0) return (endPage - firstPage) * PAGE_BYTES;
    return (Math.max(this.endPage, endPage) - Math.min(this.firstPage, firstPage)) * PAGE_BYTES - this.allocatedBytes;
  }

  /** Notes the pages that a write of [from, end) allocates. */
  noteAllocated(from: number, end: number): void {
    const firstPage = Math.floor(from / PAGE_BYTES);
    this.firstPage = this.endPage === 0 ? firstPage : Math.min(this.firstPage, firstPage);
    this.endPage = Math.max(this.endPage, Math.ceil(end / PAGE_BYTES));
  }
}
