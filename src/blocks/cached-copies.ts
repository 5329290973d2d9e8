/**
 * Copies of objects that the cache of an unmounted file system still holds (mount.s3ql --keep-cache): what a damaged store can be repaired from.
 * Nothing here is to be trusted before its digest has been compared; nothing is changed.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '../metadata/types.ts';
import { Segment } from './segment.ts';
import { decodeSegmentHeader, decodeSlotRecord, RECORD_BYTES } from './slot-record.ts';

/** Calls `found` with what the cache has of the wanted objects, each perhaps several times. The bytes are the callee's. */
export async function eachCachedCopy(
  segmentsPath: string,
  wanted: ReadonlySet<ObjectId>,
  found: (id: ObjectId, bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  if (wanted.size === 0 || !existsSync(segmentsPath)) return;
  for (const name of readdirSync(segmentsPath).filter((entry) => /^\d+$/.test(entry))) {
    const fd = openSync(join(segmentsPath, name), 'r');
    try {
      for (const [id, bytes] of copiesIn(fd, Number(name), wanted)) await found(id, bytes);
    } finally {
      closeSync(fd);
    }
  }
}

function* copiesIn(fd: number, number: number, wanted: ReadonlySet<ObjectId>): Generator<[ObjectId, Uint8Array<ArrayBuffer>]> {
  const head = Buffer.alloc(RECORD_BYTES);
  readSync(fd, head, 0, RECORD_BYTES, 0);
  const header = decodeSegmentHeader(head);
  if (header === undefined) return;
  const segment = new Segment(number, '', header.slotCount, header.blockSizeBytes, true);
  const record = Buffer.alloc(RECORD_BYTES);
  for (let slot = 0; slot < header.slotCount; slot += 1) {
    readSync(fd, record, 0, RECORD_BYTES, segment.recordPosition(slot));
    const decoded = decodeSlotRecord(record);
    if (decoded === undefined || decoded.state !== 'clean' || !wanted.has(decoded.objectId)) continue;
    const bytes = new Uint8Array(Math.min(decoded.lengthBytes, header.blockSizeBytes));
    const count = readSync(fd, bytes, 0, bytes.length, segment.dataPosition(slot));
    yield [decoded.objectId, bytes.subarray(0, count)];
  }
}
