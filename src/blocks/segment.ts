/**
 * A segment: one file of slots, each for one block. Layout: header, slot records, padding to a page, then the slots' data at equal
 * distance. The file is sparse; a slot is handed out once. What is known of it in memory is here; what is done with it is in
 * segment-store.ts, segment-sync.ts and segment-reclaim.ts.
 */
import type { InodeId } from '../metadata/types.ts';
import { type CachedBlock, PAGE_BYTES } from './cached-block.ts';
import { RECORD_BYTES } from './slot-record.ts';

/** Blocks 0 and later blocks go to different segments: fsync of a small file doesn't wait for a stream's data. */
export type SlotClass = 0 | 1;

function toPages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

function headerBytes(slotCount: number): number {
  return toPages(RECORD_BYTES * (1 + slotCount));
}

/** A slot whose block is gone, until its bytes are given back. */
export interface DeadSlot {
  readonly slot: number;
  readonly firstPage: number;
  readonly endPage: number;
}

export class Segment {
  readonly number: number;
  readonly path: string;
  readonly slotCount: number;
  readonly strideBytes: number;
  readonly headerBytes: number;
  /** What the file takes of the disk besides its slots. */
  readonly overheadBytes: number;
  /** Open descriptor, or -1 (descriptors.ts). */
  fd = -1;
  /** Asynchronous users of the descriptor. */
  pinCount = 0;
  /** Slots handed out so far; the next one's number. */
  handedOut: number;
  readonly blocks: (CachedBlock | undefined)[];
  liveCount = 0;
  /** Slots whose bytes are still on disk although nobody needs them. */
  dead: DeadSlot[] = [];
  /** Bytes of dead slots that could not be punched out; they go with the file. */
  stuckBytes = 0;

  /** Counts writes; what was written up to `syncedNumber` is durable. */
  writeNumber = 0;
  syncedNumber = 0;
  /** Inodes whose blocks here were written since the last sync began. */
  unsyncedInodes: Set<InodeId> = new Set();
  #lastWrittenInode: InodeId | undefined = undefined;
  /** A record says since the last sync that a block was given up or cut: must be durable before the database's change is. */
  orderCritical = false;
  /** Dead marks were written that must be durable before the bytes may go. */
  marksUnsynced = false;
  /** Blocks with `provisional` records. */
  provisional: CachedBlock[] = [];
  /** The file's directory entry is durable. */
  entryDurable: boolean;
  /** A sync failed: the kernel may have dropped pages, so they are written again before the next one. */
  suspect = false;
  /** Bytes written since write-back was last started. */
  unstartedBytes = 0;

  constructor(number: number, path: string, slotCount: number, blockSizeBytes: number, existing: boolean) {
    this.number = number;
    this.path = path;
    this.slotCount = slotCount;
    this.strideBytes = toPages(blockSizeBytes);
    this.headerBytes = headerBytes(slotCount);
    this.overheadBytes = Segment.overheadBytes(slotCount);
    // Slots of a file that was there before are never handed out again: what they held is not known for certain.
    this.handedOut = existing ? slotCount : 0;
    this.entryDurable = existing;
    this.blocks = Array.from({ length: slotCount });
  }

  /** Header, and a block for the file system's list of extents, which is in the inode only while they are few. */
  static overheadBytes(slotCount: number): number {
    return headerBytes(slotCount) + (slotCount > 1 ? PAGE_BYTES : 0);
  }

  get full(): boolean {
    return this.handedOut === this.slotCount;
  }

  recordPosition(slot: number): number {
    return RECORD_BYTES * (1 + slot);
  }

  dataPosition(slot: number): number {
    return this.headerBytes + slot * this.strideBytes;
  }

  /** Notes a write on behalf of an inode; the segment is unsynced from now on. */
  noteWrite(inode: InodeId): void {
    this.writeNumber += 1;
    if (this.#lastWrittenInode !== inode) {
      this.unsyncedInodes.add(inode);
      this.#lastWrittenInode = inode;
    }
  }

  /** The inodes written since the last call: they are about to be synced. */
  takeUnsyncedInodes(): Set<InodeId> {
    const inodes = this.unsyncedInodes;
    this.unsyncedInodes = new Set();
    this.#lastWrittenInode = undefined;
    return inodes;
  }
}
