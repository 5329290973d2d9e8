/**
 * The directory of segment files: hands out slots, reads and writes their records and data. All of it is synchronous (the page cache
 * takes it). Owns the bytes on disk: whoever takes a slot or lets one grow has taken the bytes from `space` before.
 *
 * Order that a crash relies on: a new slot's data is written before its record; a used slot's record before its data.
 */
import { readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockIndex, InodeId } from '../metadata/types.ts';
import { fileWillNeed } from '../util/libc.ts';
import { CachedBlock } from './cached-block.ts';
import { Descriptors } from './descriptors.ts';
import { Segment, type SlotClass } from './segment.ts';
import { encodeSegmentHeader, encodeSlotRecord, RECORD_BYTES, type SlotRecord } from './slot-record.ts';

export const SLOTS_PER_SEGMENT = 64;
const ZEROS = new Uint8Array(256 * 1024);
const recordBytes = new Uint8Array(RECORD_BYTES);

export interface SegmentStoreOptions {
  readonly directory: string;
  readonly blockSizeBytes: number;
  readonly maxOpenSegments: number;
  /** SLOTS_PER_SEGMENT, or 1 where holes can't be punched: then a slot's bytes go with its file. */
  readonly slotsPerSegment: number;
}

export class SegmentStore implements Disposable {
  readonly directory: string;
  readonly blockSizeBytes: number;
  readonly descriptors: Descriptors;
  readonly #slotsPerSegment: number;
  readonly #segments = new Map<number, Segment>();
  readonly #current: [Segment | undefined, Segment | undefined] = [undefined, undefined];
  #nextNumber = 1;
  #nextSequence = 1;
  /** Segments with writes that are not durable. */
  readonly unsynced: Set<Segment> = new Set();

  constructor(options: SegmentStoreOptions) {
    this.directory = options.directory;
    this.blockSizeBytes = options.blockSizeBytes;
    this.#slotsPerSegment = options.slotsPerSegment;
    this.descriptors = new Descriptors(options.maxOpenSegments);
  }

  /** Paths of the segment files that are there, with their numbers. */
  existing(): { number: number; path: string }[] {
    return readdirSync(this.directory)
      .filter((name) => /^[0-9]+$/.test(name))
      .map((name) => ({ number: Number(name), path: join(this.directory, name) }));
  }

  /** Takes a segment that was found on disk into the books. */
  adopt(segment: Segment): void {
    this.#segments.set(segment.number, segment);
  }

  /** Numbers to go on from. */
  continueFrom(segmentNumber: number, sequence: number): void {
    this.#nextNumber = Math.max(this.#nextNumber, segmentNumber);
    this.#nextSequence = Math.max(this.#nextSequence, sequence);
  }

  get segments(): Iterable<Segment> {
    return this.#segments.values();
  }

  /** Bytes that the next `count` slots of the class cost besides their data: those of new segments. */
  overheadBytes(slotClass: SlotClass, count: number = 1): number {
    const current = this.#current[slotClass];
    const left = current ? current.slotCount - current.handedOut : 0;
    const segmentCount = Math.ceil(Math.max(0, count - left) / this.#slotsPerSegment);
    return segmentCount * Segment.overheadBytes(this.#slotsPerSegment);
  }

  /** Hands out a slot; the caller writes data and then the record. */
  allocate(inode: InodeId, block: BlockIndex): CachedBlock {
    const slotClass: SlotClass = block === 0 ? 0 : 1;
    let segment = this.#current[slotClass];
    if (!segment || segment.full) {
      segment = this.#create();
      this.#current[slotClass] = segment;
    }
    const slot = segment.handedOut;
    segment.handedOut += 1;
    segment.liveCount += 1;
    const entry = new CachedBlock(inode, block, segment, slot);
    entry.sequence = this.#nextSequence;
    this.#nextSequence += 1;
    segment.blocks[slot] = entry;
    return entry;
  }

  #create(): Segment {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const segment = new Segment(number, join(this.directory, String(number)), this.#slotsPerSegment, this.blockSizeBytes, false);
    const fd = this.descriptors.create(segment);
    const header = encodeSegmentHeader({ blockSizeBytes: this.blockSizeBytes, slotCount: segment.slotCount });
    writeFully(fd, header, header.length, 0);
    this.#segments.set(number, segment);
    return segment;
  }

  /** No further slots of this segment are handed out. */
  retire(segment: Segment): void {
    segment.handedOut = segment.slotCount;
  }

  forget(segment: Segment): void {
    this.#segments.delete(segment.number);
    this.unsynced.delete(segment);
    for (const slotClass of [0, 1] as const) if (this.#current[slotClass] === segment) this.#current[slotClass] = undefined;
  }

  /** Writes what the block's fields say to its record. */
  writeRecord(entry: CachedBlock): void {
    this.writeSlotRecord(entry.segment, entry.slot, {
      state: entry.state === 'clean' ? 'clean' : 'dirty',
      provisional: entry.provisional,
      inode: entry.inode,
      block: entry.block,
      sequence: entry.sequence,
      lengthBytes: entry.lengthBytes,
      objectId: entry.objectId,
      validFrom: entry.validFrom,
      givenUpAt: entry.givenUpAt,
      cutAt: entry.cutAt,
      cutLengthBytes: entry.lengthBytes,
    });
    entry.segment.noteWrite(entry.inode);
    entry.recordNumber = entry.segment.writeNumber;
    this.unsynced.add(entry.segment);
    if (entry.provisional) entry.segment.provisional.push(entry);
  }

  writeSlotRecord(segment: Segment, slot: number, record: SlotRecord): void {
    encodeSlotRecord(record, recordBytes);
    writeFully(this.descriptors.fd(segment), recordBytes, RECORD_BYTES, segment.recordPosition(slot));
  }

  /** Says on disk that the slot holds nothing. */
  writeDeadRecord(segment: Segment, slot: number): void {
    this.writeSlotRecord(segment, slot, DEAD_RECORD);
    segment.writeNumber += 1;
    this.unsynced.add(segment);
  }

  writeData(entry: CachedBlock, at: number, data: Uint8Array): void {
    const { segment } = entry;
    writeFully(this.descriptors.fd(segment), data, data.length, segment.dataPosition(entry.slot) + at);
    segment.unstartedBytes += data.length;
    this.#noteDataWrite(entry);
  }

  writeZeros(entry: CachedBlock, from: number, end: number): void {
    const fd = this.descriptors.fd(entry.segment);
    const position = entry.segment.dataPosition(entry.slot);
    for (let at = from; at < end; at += ZEROS.length) writeFully(fd, ZEROS, Math.min(ZEROS.length, end - at), position + at);
    this.#noteDataWrite(entry);
  }

  /** Fills `into` with the block's bytes from `at` on, which must lie within its length. */
  readData(entry: CachedBlock, at: number, into: Uint8Array): void {
    const fd = this.descriptors.fd(entry.segment);
    const position = entry.segment.dataPosition(entry.slot) + at;
    let done = 0;
    while (done < into.length) {
      const count = readSync(fd, into, done, into.length - done, position + done);
      if (count === 0) {
        // Behind the end of the file, where nothing was ever written.
        into.fill(0, done);
        return;
      }
      done += count;
    }
  }

  /** Lets the kernel read the block's bytes from disk, so that `readData` does not have to wait for it. Only a hint. */
  willNeed(entry: CachedBlock): void {
    fileWillNeed(this.descriptors.fd(entry.segment), entry.segment.dataPosition(entry.slot), entry.lengthBytes);
  }

  #noteDataWrite(entry: CachedBlock): void {
    const { segment } = entry;
    segment.noteWrite(entry.inode);
    entry.writeNumber = segment.writeNumber;
    this.unsynced.add(segment);
  }

  [Symbol.dispose](): void {
    this.descriptors[Symbol.dispose]();
  }
}

const DEAD_RECORD: SlotRecord = {
  state: 'dead',
  provisional: false,
  inode: 0 as InodeId,
  block: 0,
  sequence: 0,
  lengthBytes: 0,
  objectId: 0 as SlotRecord['objectId'],
  validFrom: 0,
  givenUpAt: 0,
  cutAt: 0,
  cutLengthBytes: 0,
};

function writeFully(fd: number, data: Uint8Array, length: number, position: number): void {
  let done = 0;
  while (done < length) done += writeSync(fd, data, done, length - done, position + done);
}
