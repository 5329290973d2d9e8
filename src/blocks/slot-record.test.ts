import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { InodeId, ObjectId } from '../metadata/types.ts';
import {
  decodeSegmentHeader,
  decodeSlotRecord,
  encodeSegmentHeader,
  encodeSlotRecord,
  RECORD_BYTES,
  type SlotRecord,
} from './slot-record.ts';

const id = fc.nat(Number.MAX_SAFE_INTEGER);
const length = fc.nat(2 ** 31 - 1);
const dirty: fc.Arbitrary<SlotRecord> = fc.record({
  state: fc.constant('dirty' as const),
  provisional: fc.boolean(),
  inode: id as fc.Arbitrary<InodeId>,
  block: id,
  sequence: id,
  lengthBytes: length,
  objectId: fc.constant(0 as ObjectId),
  validFrom: id,
  givenUpAt: id,
  cutAt: id,
  cutLengthBytes: length,
});
const clean = fc
  .tuple(dirty, id)
  .map(([record, objectId]): SlotRecord => ({ ...record, state: 'clean', objectId: objectId as ObjectId, validFrom: 0 }));

test('a record reads back as it was written', () => {
  fc.assert(
    fc.property(fc.oneof(dirty, clean), (record) => {
      const bytes = new Uint8Array(RECORD_BYTES);
      encodeSlotRecord(record, bytes);
      expect(decodeSlotRecord(bytes)).toEqual(record);
    }),
  );
});

test('a record with any byte changed counts as empty', () => {
  fc.assert(
    fc.property(dirty, fc.nat(RECORD_BYTES - 1), fc.integer({ min: 1, max: 255 }), (record, at, flip) => {
      const bytes = new Uint8Array(RECORD_BYTES);
      encodeSlotRecord(record, bytes);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      expect(decodeSlotRecord(bytes)).toBeUndefined();
    }),
  );
});

test('a slot that was never used has no record', () => {
  expect(decodeSlotRecord(new Uint8Array(RECORD_BYTES))).toBeUndefined();
});

test('a segment header reads back, and anything else is none', () => {
  const header = { blockSizeBytes: 64 * 1024 * 1024, slotCount: 64 };
  const bytes = encodeSegmentHeader(header);
  expect(decodeSegmentHeader(bytes)).toEqual(header);
  bytes.writeUInt8(1, 30);
  expect(decodeSegmentHeader(bytes)).toBeUndefined();
  expect(decodeSegmentHeader(new Uint8Array(10))).toBeUndefined();
});
