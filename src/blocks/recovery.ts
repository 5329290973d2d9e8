/**
 * Builds the index from the segments at mount. After a clean end clean slots are kept if the database still refers to the same object.
 * After a crash they are dropped, and of the dirty ones those are kept that belong to the state the database has fallen back to:
 *
 * - a slot from a transaction that was lost, or given up in one that was not, doesn't count;
 * - of two for one block the later one counts;
 * - after another boot a provisional slot doesn't count: its data may not be there, and the store has the content before;
 * - what lies beyond the file's end, or in files that don't exist, doesn't count.
 *
 * What survives is as on disk after a sync when this returns, before the database can commit anything: recovery may be cut short anywhere
 * and be repeated. The segments found are never written to anew, except by changes of their live blocks.
 */
import { closeSync, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UserError } from '../util/errors.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../util/libc.ts';
import { isUnsupported } from '../util/system-call-error.ts';
import { allocatedRange } from './allocated-range.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { nextSlice } from './block-ranges.ts';
import { CachedBlock } from './cached-block.ts';
import type { CacheSpace } from './cache-space.ts';
import { Segment } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';
import { syncDirectory } from './segment-sync.ts';
import type { LastSession } from './session-file.ts';
import { decodeSegmentHeader, decodeSlotRecord, RECORD_BYTES, type SlotRecord } from './slot-record.ts';

export interface RecoverySummary {
  /** The last session ended without closing the cache. */
  readonly crashed: boolean;
  readonly dirtyBlockCount: number;
  readonly dirtyBytes: number;
  readonly cleanBlockCount: number;
  readonly cleanBytes: number;
  /** Dirty slots that belong to no file of the recovered state. */
  readonly droppedBlockCount: number;
}

interface Candidate {
  readonly segment: Segment;
  readonly slot: number;
  readonly record: SlotRecord;
  /** Bytes that count. */
  readonly lengthBytes: number;
}

export interface RecoveryParts {
  readonly store: SegmentStore;
  readonly index: BlockIndex;
  readonly space: CacheSpace;
  readonly database: BlockDatabase;
  readonly session: LastSession;
}

const SEGMENTS_PER_SLICE = 64;

const fdatasyncAsync = promisify(fdatasync);

export async function recoverSegments(parts: RecoveryParts): Promise<RecoverySummary> {
  const { store, database, session } = parts;
  // Stamps at or beyond this id belong to transactions that were lost.
  const nextObjectId = database.blocks.reserveObjectIds(1);
  const found = new Map<string, Candidate>();
  const segments: Segment[] = [];
  /** After a clean end, with clean and dead slots only: there is nothing to repair. */
  const intactSegments = new Set<Segment>();
  let dirtySlots = 0;
  let lastSequence = 0;
  let lastSegment = 0;
  for (const { number, path } of store.existing()) {
    lastSegment = Math.max(lastSegment, number);
    const read = readSegment(number, path, store.blockSizeBytes);
    if (!read) {
      await unlink(path);
      continue;
    }
    segments.push(read.segment);
    let intact = session.clean;
    for (const [slot, record] of read.records.entries()) {
      if (!record) continue;
      lastSequence = Math.max(lastSequence, record.sequence);
      if (record.state === 'dirty') dirtySlots += 1;
      const lengthBytes = countingLength(record, nextObjectId, parts);
      if (record.state === 'dirty' || (record.state === 'clean' && lengthBytes === 0)) intact = false;
      if (lengthBytes === 0) continue;
      const key = `${record.inode}:${record.block}`;
      const other = found.get(key);
      if (other && other.record.sequence > record.sequence) continue;
      found.set(key, { segment: read.segment, slot, record, lengthBytes });
    }
    if (intact) intactSegments.add(read.segment);
    if (segments.length % SEGMENTS_PER_SLICE === 0) await nextSlice();
  }
  store.continueFrom(lastSegment + 1, lastSequence + 1);

  const live = new Map<Segment, Candidate[]>();
  for (const candidate of found.values()) {
    const list = live.get(candidate.segment);
    if (list) list.push(candidate);
    else live.set(candidate.segment, [candidate]);
  }
  for (const segment of segments) {
    const candidates = live.get(segment);
    if (!candidates) await unlink(segment.path);
    else if (intactSegments.has(segment)) adoptSegment(parts, segment, candidates);
    else await restoreSegment(parts, segment, candidates);
  }
  await syncDirectory(store.directory);
  return summary(parts, dirtySlots);
}

function readSegment(
  number: number,
  path: string,
  blockSizeBytes: number,
): { segment: Segment; records: (SlotRecord | undefined)[] } | undefined {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(RECORD_BYTES);
    readSync(fd, head, 0, RECORD_BYTES, 0);
    const header = decodeSegmentHeader(head);
    // Created in the moment of the crash.
    if (!header) return undefined;
    if (header.blockSizeBytes !== blockSizeBytes) {
      throw new UserError(`${path} holds blocks of ${header.blockSizeBytes} bytes, this file system has ${blockSizeBytes}`);
    }
    const segment = new Segment(number, path, header.slotCount, blockSizeBytes, true);
    const table = Buffer.alloc(header.slotCount * RECORD_BYTES);
    readSync(fd, table, 0, table.length, RECORD_BYTES);
    const records = Array.from({ length: header.slotCount }, (_, slot) =>
      decodeSlotRecord(table.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES)),
    );
    return { segment, records };
  } finally {
    closeSync(fd);
  }
}

/** How many bytes of the slot count in the recovered state; 0 if the slot doesn't. */
function countingLength(record: SlotRecord, nextObjectId: number, { database, session, store }: RecoveryParts): number {
  const { inode, block } = record;
  if (record.state === 'clean') {
    if (!session.clean) return 0;
    const row = database.blocks.get(inode, block);
    return row && row.objectId === record.objectId && row.lengthBytes === record.lengthBytes ? record.lengthBytes : 0;
  }
  if (record.state !== 'dirty') return 0;
  if (record.validFrom >= nextObjectId) return 0;
  if (record.givenUpAt !== 0 && record.givenUpAt < nextObjectId) return 0;
  if (record.provisional && !session.sameBoot) return 0;
  const size = database.inodes.get(inode)?.size ?? 0n;
  const inFile = size - BigInt(block) * BigInt(store.blockSizeBytes);
  if (inFile <= 0n) return 0;
  let lengthBytes = inFile < BigInt(store.blockSizeBytes) ? Number(inFile) : store.blockSizeBytes;
  if (record.cutAt !== 0 && record.cutAt < nextObjectId) lengthBytes = Math.min(lengthBytes, record.cutLengthBytes);
  return lengthBytes;
}

/** Takes the live slots of an intact segment into the index. */
function adoptSegment(parts: RecoveryParts, segment: Segment, candidates: readonly Candidate[]): void {
  parts.store.adopt(segment);
  parts.space.take(segment.overheadBytes, 0);
  for (const candidate of candidates) restoreBlock(parts, candidate);
}

/** Takes the live slots into the index; makes file and records say just that. */
async function restoreSegment(parts: RecoveryParts, segment: Segment, candidates: readonly Candidate[]): Promise<void> {
  const { store, space } = parts;
  store.adopt(segment);
  const bySlot = new Map(candidates.map((candidate) => [candidate.slot, candidate]));
  const fd = store.descriptors.pin(segment);
  try {
    // First the bytes, then the records that promise them.
    const freed = await freeUnused(fd, segment, bySlot);
    for (let slot = 0; slot < segment.slotCount; slot++) if (!bySlot.has(slot)) store.writeDeadRecord(segment, slot);
    const entries = candidates.map((candidate) => restoreBlock(parts, candidate));
    for (const entry of entries) store.writeRecord(entry);
    await fdatasyncAsync(fd);
    const provisional = entries.filter((entry) => entry.provisional);
    for (const entry of provisional) {
      entry.provisional = false;
      store.writeRecord(entry);
    }
    if (provisional.length > 0) await fdatasyncAsync(fd);
    segment.provisional = [];
    segment.syncedNumber = segment.writeNumber;
    segment.takeUnsyncedInodes();
    store.unsynced.delete(segment);
    if (!freed) {
      const allocatedBytes = fstatSync(fd).blocks * 512;
      const liveBytes = entries.reduce((sum, entry) => sum + entry.allocatedBytes, 0);
      segment.stuckBytes = Math.max(0, allocatedBytes - liveBytes - segment.overheadBytes);
    }
    space.take(segment.overheadBytes + segment.stuckBytes, 0);
  } finally {
    store.descriptors.unpin(segment);
  }
}

function restoreBlock({ store, index, space }: RecoveryParts, { segment, slot, record, lengthBytes }: Candidate): CachedBlock {
  const entry = new CachedBlock(record.inode, record.block, segment, slot);
  entry.sequence = record.sequence;
  entry.lengthBytes = lengthBytes;
  entry.staleEndBytes = lengthBytes;
  const start = segment.dataPosition(slot);
  const allocated = allocatedRange(store.descriptors.fd(segment), start, start + segment.strideBytes);
  if (allocated) {
    entry.noteAllocated(allocated.from - start, allocated.end - start);
    // In a segment that was taken over as it is, a clean block may have more bytes than count.
    entry.staleEndBytes = Math.max(lengthBytes, Math.min(allocated.end - start, store.blockSizeBytes));
  }
  space.take(entry.allocatedBytes, 1);
  segment.blocks[slot] = entry;
  segment.liveCount += 1;
  index.add(entry);
  if (record.state === 'clean') {
    entry.state = 'clean';
    entry.objectId = record.objectId;
    index.clean.append(entry);
  } else {
    entry.changedMs = performance.now();
    entry.provisional = record.provisional;
    index.dirty.append(entry);
  }
  return entry;
}

/**
 * Frees what lies outside of live blocks: a block that grows later must find zeros there. False if holes can't be punched here; then
 * zeros are written behind live blocks and the rest stays until the file goes.
 */
async function freeUnused(fd: number, segment: Segment, live: ReadonlyMap<number, Candidate>): Promise<boolean> {
  const fileBytes = fstatSync(fd).size;
  let from = segment.headerBytes;
  let punching = true;
  let tailEnd = from;
  for (let slot = 0; slot <= segment.slotCount; slot++) {
    const candidate = live.get(slot);
    if (!candidate && slot < segment.slotCount) continue;
    const start = segment.dataPosition(slot);
    const end = Math.min(start, fileBytes);
    if (punching && end > from) punching = await punch(fd, from, end);
    if (!punching) writeZeros(fd, from, Math.min(tailEnd, fileBytes));
    from = start + (candidate?.lengthBytes ?? 0);
    tailEnd = segment.dataPosition(slot + 1);
  }
  return punching;
}

async function punch(fd: number, from: number, end: number): Promise<boolean> {
  try {
    await fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, end - from);
    return true;
  } catch (error) {
    if (isUnsupported(error)) return false;
    throw error;
  }
}

function writeZeros(fd: number, from: number, end: number): void {
  const zeros = Buffer.alloc(256 * 1024);
  for (let at = from; at < end; at += zeros.length) writeSync(fd, zeros, 0, Math.min(zeros.length, end - at), at);
}

function summary({ index, session }: RecoveryParts, dirtySlotCount: number): RecoverySummary {
  return {
    crashed: !session.clean,
    dirtyBlockCount: index.dirty.count,
    dirtyBytes: index.dirty.sizeBytes,
    cleanBlockCount: index.clean.count,
    cleanBytes: index.clean.sizeBytes,
    droppedBlockCount: dirtySlotCount - index.dirty.count,
  };
}
