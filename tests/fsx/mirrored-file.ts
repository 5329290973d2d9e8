/** A file and what it must contain, in memory. Every operation is done on both; every read is compared. */
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_CREAT,
  O_RDWR,
} from '../support/syscalls/constants.ts';
import { descriptorCalls } from '../support/syscalls/descriptor-calls.ts';
import type { Outcome } from '../support/syscalls/outcome.ts';
import { pathCalls } from '../support/syscalls/path-calls.ts';
import { spaceCalls } from '../support/syscalls/space-calls.ts';

export const PAGE_BYTES = 4096;

/** The call failed, or the file is not what it should be. */
export class Deviation extends Error {}

export class MirroredFile {
  readonly path: string;
  readonly #slot: string;
  /** As large as the file may become; zeros behind `size`. */
  readonly #content: Buffer;
  #size = 0;

  constructor(path: string, maxSizeBytes: number) {
    this.path = path;
    this.#slot = path;
    this.#content = Buffer.alloc(maxSizeBytes);
    this.open(O_CREAT);
  }

  get size(): number {
    return this.#size;
  }

  open(flags: number = 0): void {
    must('open', pathCalls.open(this.path, O_RDWR | flags, 0o600, this.#slot));
  }

  close(): void {
    must('close', descriptorCalls.close(this.#slot));
  }

  read(offset: number, length: number): void {
    const expected = this.#content.subarray(offset, Math.max(offset, Math.min(offset + length, this.#size)));
    this.#compare(must('pread', descriptorCalls.pread(this.#slot, length, offset)), expected, offset);
  }

  write(offset: number, bytes: Buffer): void {
    const { result } = mustSucceed('pwrite', descriptorCalls.pwrite(this.#slot, bytes, offset));
    if (Number(result) !== bytes.length) throw new Deviation(`pwrite wrote ${String(result)} of ${bytes.length} bytes`);
    this.#put(offset, bytes);
  }

  truncate(size: number): void {
    mustSucceed('ftruncate', descriptorCalls.ftruncate(this.#slot, size));
    if (size < this.#size) this.#content.fill(0, size, this.#size);
    this.#size = size;
  }

  /** `offset` is a multiple of PAGE_BYTES; only inside the file: behind its last page there is a SIGBUS. */
  readMapped(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return;
    this.#compare(must('mmap', spaceCalls.readMapped(this.#slot, end - offset, offset)), this.#content.subarray(offset, end), offset);
  }

  writeMapped(page: number, skip: number, bytes: Buffer, sync: boolean): void {
    const room = this.#size - page - skip;
    if (room <= 0) return;
    const fitting = bytes.subarray(0, room);
    mustSucceed('mmap', spaceCalls.writeMapped(this.#slot, fitting, page, skip, sync));
    this.#put(page + skip, fitting);
  }

  punch(offset: number, length: number): void {
    mustSucceed('punch', spaceCalls.fallocate(this.#slot, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));
    this.#content.fill(0, offset, Math.max(offset, Math.min(offset + length, this.#size)));
  }

  zero(offset: number, length: number, keepSize: boolean): void {
    mustSucceed(
      'zero range',
      spaceCalls.fallocate(this.#slot, FALLOC_FL_ZERO_RANGE | (keepSize ? FALLOC_FL_KEEP_SIZE : 0), offset, length),
    );
    if (!keepSize) this.#size = Math.max(this.#size, offset + length);
    this.#content.fill(0, offset, Math.max(offset, Math.min(offset + length, this.#size)));
  }

  allocate(offset: number, length: number, keepSize: boolean): void {
    mustSucceed('fallocate', spaceCalls.fallocate(this.#slot, keepSize ? FALLOC_FL_KEEP_SIZE : 0, offset, length));
    if (!keepSize) this.#size = Math.max(this.#size, offset + length);
  }

  /** Takes a range out of the middle; both are multiples of the largest block. */
  collapse(offset: number, length: number): void {
    if (offset + length >= this.#size) return;
    mustSucceed('collapse', spaceCalls.fallocate(this.#slot, FALLOC_FL_COLLAPSE_RANGE, offset, length));
    this.#content.copyWithin(offset, offset + length, this.#size);
    this.#content.fill(0, this.#size - length, this.#size);
    this.#size -= length;
  }

  insert(offset: number, length: number): void {
    if (offset >= this.#size || this.#size + length > this.#content.length) return;
    mustSucceed('insert', spaceCalls.fallocate(this.#slot, FALLOC_FL_INSERT_RANGE, offset, length));
    this.#content.copyWithin(offset + length, offset, this.#size);
    this.#content.fill(0, offset, offset + length);
    this.#size += length;
  }

  /** copy_file_range, which may copy less than asked for. Ranges of one file must not overlap. */
  copyTo(target: MirroredFile, offset: number, targetOffset: number, length: number): void {
    const available = Math.max(0, Math.min(length, this.#size - offset));
    const { result } = mustSucceed('copy_file_range', spaceCalls.copyFileRange(this.#slot, offset, target.#slot, targetOffset, length));
    const copied = Number(result);
    if (copied > available || (copied === 0 && available > 0))
      throw new Deviation(`copy_file_range copied ${copied} of ${available} bytes`);
    if (copied > 0) target.#put(targetOffset, Buffer.from(this.#content.subarray(offset, offset + copied)));
  }

  sync(dataOnly: boolean): void {
    mustSucceed('fsync', dataOnly ? descriptorCalls.fdatasync(this.#slot) : descriptorCalls.fsync(this.#slot));
  }

  forgetPages(): void {
    spaceCalls.forgetPages(this.#slot);
  }

  /** Renamed over another file, which becomes what this was; this one begins anew, empty. */
  replace(target: MirroredFile): void {
    mustSucceed('rename', pathCalls.rename(this.path, target.path));
    target.close();
    this.close();
    target.#content.fill(0, 0, target.#size);
    this.#content.copy(target.#content, 0, 0, this.#size);
    target.#size = this.#size;
    this.#content.fill(0, 0, this.#size);
    this.#size = 0;
    target.open();
    this.open(O_CREAT);
  }

  checkSize(): void {
    const { size } = must('fstat', descriptorCalls.fstat(this.#slot));
    if (Number(size) !== this.#size) throw new Deviation(`${this.path} has ${size} bytes instead of ${this.#size}`);
  }

  checkAll(): void {
    this.checkSize();
    this.read(0, this.#size + 1);
  }

  #put(offset: number, bytes: Buffer): void {
    bytes.copy(this.#content, offset);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  #compare(actual: Uint8Array, expected: Buffer, offset: number): void {
    if (expected.equals(actual)) return;
    if (actual.length !== expected.length)
      throw new Deviation(`${this.path}: read ${actual.length} bytes at ${offset} instead of ${expected.length}`);
    const at = expected.findIndex((byte, index) => byte !== actual[index]);
    const wrong = expected.reduce((count, byte, index) => count + (byte === actual[index] ? 0 : 1), 0);
    throw new Deviation(
      `${this.path}: byte ${offset + at} is ${actual[at]} instead of ${expected[at]} (${wrong} of ${expected.length} differ)`,
    );
  }
}

function mustSucceed(what: string, outcome: Outcome): Outcome {
  if (outcome.error !== undefined) throw new Deviation(`${what}: ${outcome.error}`);
  return outcome;
}

function must<Data>(what: string, outcome: Outcome<Data>): Data {
  mustSucceed(what, outcome);
  return outcome.data as Data;
}
