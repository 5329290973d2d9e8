/**
 * The 64 bytes that say what a slot of a segment file holds, and the 64 bytes that head the file. Little-endian; numbers that may exceed
 * 32 bits are doubles, exact below 2^53. A record whose checksum doesn't fit was torn or never written and counts as empty.
 *
 * Stamps (`validFrom`, `givenUpAt`, `cutAt`) are object ids that were reserved in the transaction that the change belongs to: a database
 * that hands out an id at or below a stamp has lost that transaction, so the change didn't happen. 0 means always.
 */
import { crc32 } from 'node:zlib';
import type { BlockIndex, InodeId, ObjectId } from '../metadata/types.ts';

export const RECORD_BYTES = 64;
export const SEGMENT_MAGIC = 'S3QLSEG1';

export type SlotState = 'dirty' | 'clean' | 'dead';

export interface SlotRecord {
  readonly state: SlotState;
  /** Dirty only: the data may not have reached the disk yet although the block has older content in the store. */
  readonly provisional: boolean;
  readonly inode: InodeId;
  readonly block: BlockIndex;
  /** Of two dirty slots for one block the one with the higher number holds the block. */
  readonly sequence: number;
  /** Valid bytes; exact for clean slots only (the database's file size bounds dirty ones). */
  readonly lengthBytes: number;
  /** Clean only: the object with the same content; else 0. */
  readonly objectId: ObjectId;
  /** Dirty only: the slot counts if the transaction of this stamp did happen. */
  readonly validFrom: number;
  /** Dirty only: the slot no longer counts if the transaction of this stamp did happen; 0 if it was not given up. */
  readonly givenUpAt: number;
  /** Dirty only: bytes from `cutLengthBytes` on no longer count if the transaction of this stamp did happen; 0 if there was no cut. */
  readonly cutAt: number;
  readonly cutLengthBytes: number;
}

export interface SegmentHeader {
  readonly blockSizeBytes: number;
  readonly slotCount: number;
}

const STATES: readonly (SlotState | undefined)[] = [undefined, 'dirty', 'clean', 'dead'];
const PROVISIONAL_FLAG = 1;
const VERSION = 1;

function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(4, RECORD_BYTES));
}

/** Writes the record to the first 64 bytes of `into`. */
export function encodeSlotRecord(record: SlotRecord, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, RECORD_BYTES);
  view.setUint8(4, STATES.indexOf(record.state));
  view.setUint8(5, record.provisional ? PROVISIONAL_FLAG : 0);
  view.setUint16(6, 0, true);
  view.setUint32(8, record.lengthBytes, true);
  view.setUint32(12, record.cutLengthBytes, true);
  view.setFloat64(16, record.inode, true);
  view.setFloat64(24, record.block, true);
  view.setFloat64(32, record.sequence, true);
  view.setFloat64(40, record.state === 'clean' ? record.objectId : record.validFrom, true);
  view.setFloat64(48, record.givenUpAt, true);
  view.setFloat64(56, record.cutAt, true);
  view.setUint32(0, checksum(into), true);
}

/** Undefined for a slot that was never used or whose record is torn. */
export function decodeSlotRecord(bytes: Uint8Array): SlotRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES);
  const state = STATES[view.getUint8(4)];
  if (state === undefined || view.getUint32(0, true) !== checksum(bytes)) return undefined;
  const idOrStamp = view.getFloat64(40, true);
  return {
    state,
    provisional: (view.getUint8(5) & PROVISIONAL_FLAG) !== 0,
    lengthBytes: view.getUint32(8, true),
    cutLengthBytes: view.getUint32(12, true),
    inode: view.getFloat64(16, true) as InodeId,
    block: view.getFloat64(24, true),
    sequence: view.getFloat64(32, true),
    objectId: (state === 'clean' ? idOrStamp : 0) as ObjectId,
    validFrom: state === 'clean' ? 0 : idOrStamp,
    givenUpAt: view.getFloat64(48, true),
    cutAt: view.getFloat64(56, true),
  };
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.write(SEGMENT_MAGIC, 4, 'latin1');
  bytes.writeUInt32LE(VERSION, 12);
  bytes.writeUInt32LE(header.blockSizeBytes, 16);
  bytes.writeUInt32LE(header.slotCount, 20);
  bytes.writeUInt32LE(checksum(bytes), 0);
  return bytes;
}

/** Undefined if the file is not (yet) a segment. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < RECORD_BYTES || buffer.toString('latin1', 4, 12) !== SEGMENT_MAGIC) return undefined;
  if (buffer.readUInt32LE(0) !== checksum(buffer) || buffer.readUInt32LE(12) !== VERSION) return undefined;
  return { blockSizeBytes: buffer.readUInt32LE(16), slotCount: buffer.readUInt32LE(20) };
}
