/**
 * Encodes replies: one buffer with struct fuse_out_header at its beginning and the body behind, reused for every reply that is made and
 * sent without waiting. Offsets are in the whole buffer; bodies start at OUT_HEADER_BYTES. All fields that matter are written on each use,
 * padding included, as the buffer keeps what an earlier reply left.
 */
import type { Attributes, AttributesReply, EntryReply, LockRange, OpenReply, StatfsReply } from './handlers.ts';
import { ENTRY_OUT_BYTES, OUT_HEADER_BYTES } from './abi/protocol.ts';

const TWO_TO_32 = 0x1_0000_0000;
const NS_PER_SECOND = 1_000_000_000n;
/** Longest time-out that is passed on; longer ones are as good as this. */
const MAX_TIMEOUT_SECONDS = 0x7fff_ffff;

/** Up to here copying is cheaper than a second part in writev(2). */
const MAX_COPIED_BYTES = 16_384;

export class ReplyBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #longs: BigInt64Array<ArrayBuffer>;

  /** The end of the body, to be sent from its own place. */
  attached: Uint8Array | undefined;

  constructor(sizeBytes: number) {
    const memory = new ArrayBuffer((sizeBytes + 7) & ~7);
    this.bytes = new Uint8Array(memory);
    this.#words = new Uint32Array(memory);
    this.#longs = new BigInt64Array(memory);
  }

  /** `errno` is 0 or positive. */
  header(lengthBytes: number, errno: number, uniqueLow: number, uniqueHigh: number): void {
    const words = this.#words;
    words[0] = lengthBytes;
    words[1] = -errno;
    words[2] = uniqueLow;
    words[3] = uniqueHigh;
  }

  /** An unsolicited message has its code where a reply has its errno, and no `unique`. */
  notificationHeader(lengthBytes: number, code: number): void {
    this.header(lengthBytes, -code, 0, 0);
  }

  uint32(offset: number, value: number): void {
    this.#words[offset >>> 2] = value;
  }

  /** A number from 0 to 2^53. */
  safeUint64(offset: number, value: number): void {
    this.#words[offset >>> 2] = value;
    this.#words[(offset >>> 2) + 1] = value / TWO_TO_32;
  }

  uint64(offset: number, value: bigint): void {
    this.#longs[offset >>> 3] = value;
  }

  /** A time-out as seconds (64 bits) in one place and nanoseconds (32 bits) in another. */
  #timeout(secondsOffset: number, nanosecondsOffset: number, timeoutMs: number): void {
    const seconds = Math.min(Math.floor(timeoutMs / 1000), MAX_TIMEOUT_SECONDS);
    this.safeUint64(secondsOffset, seconds);
    this.uint32(nanosecondsOffset, (timeoutMs % 1000) * 1e6);
  }

  /** Seconds, rounded down, to `secondsOffset`; the rest to `nanosecondsOffset`. */
  #time(secondsOffset: number, nanosecondsOffset: number, timeNs: bigint): void {
    let seconds = timeNs / NS_PER_SECOND;
    let nanoseconds = Number(timeNs % NS_PER_SECOND);
    if (nanoseconds < 0) {
      nanoseconds += 1e9;
      seconds -= 1n;
    }
    this.#longs[secondsOffset >>> 3] = seconds;
    this.#words[nanosecondsOffset >>> 2] = nanoseconds;
  }

  /** struct fuse_attr, 88 bytes. */
  attributes(offset: number, attributes: Attributes): void {
    const words = this.#words;
    const word = offset >>> 2;
    this.safeUint64(offset, attributes.ino);
    this.uint64(offset + 8, attributes.size);
    this.uint64(offset + 16, attributes.blocks);
    this.#time(offset + 24, offset + 48, attributes.atimeNs);
    this.#time(offset + 32, offset + 52, attributes.mtimeNs);
    this.#time(offset + 40, offset + 56, attributes.ctimeNs);
    words[word + 15] = attributes.mode;
    words[word + 16] = attributes.nlink;
    words[word + 17] = attributes.uid;
    words[word + 18] = attributes.gid;
    words[word + 19] = attributes.rdev;
    words[word + 20] = attributes.blockSizeBytes;
    words[word + 21] = 0;
  }

  /** struct fuse_attr_out. */
  attributesReply(offset: number, reply: AttributesReply): void {
    this.#timeout(offset, offset + 8, reply.attributesTimeoutMs);
    this.uint32(offset + 12, 0);
    this.attributes(offset + 16, reply.attributes);
  }

  /** struct fuse_entry_out. */
  entry(offset: number, entry: EntryReply): void {
    this.safeUint64(offset, entry.nodeId);
    this.safeUint64(offset + 8, entry.generation);
    this.#timeout(offset + 16, offset + 32, entry.entryTimeoutMs);
    this.#timeout(offset + 24, offset + 36, entry.attributesTimeoutMs);
    if (entry.nodeId !== 0) {
      if (entry.attributes === undefined) throw new TypeError(`Entry of node ${entry.nodeId} without attributes`);
      this.attributes(offset + 40, entry.attributes);
    } else {
      this.bytes.fill(0, offset + 40, offset + ENTRY_OUT_BYTES);
    }
  }

  /** struct fuse_open_out. */
  open(offset: number, open: OpenReply): void {
    this.safeUint64(offset, open.handle);
    this.uint32(offset + 8, open.openFlags);
    this.uint32(offset + 12, open.backingId ?? 0);
  }

  /** struct fuse_kstatfs, 80 bytes. */
  statfs(offset: number, statfs: StatfsReply): void {
    this.uint64(offset, statfs.blocks);
    this.uint64(offset + 8, statfs.freeBlocks);
    this.uint64(offset + 16, statfs.availableBlocks);
    this.uint64(offset + 24, statfs.files);
    this.uint64(offset + 32, statfs.freeFiles);
    this.uint32(offset + 40, statfs.blockSizeBytes);
    this.uint32(offset + 44, statfs.maxNameLength);
    this.uint32(offset + 48, statfs.fragmentSizeBytes);
    this.bytes.fill(0, offset + 52, offset + 80);
  }

  /** struct fuse_file_lock, 24 bytes. */
  lock(offset: number, lock: LockRange): void {
    this.uint64(offset, lock.start);
    this.uint64(offset + 8, lock.end);
    this.uint32(offset + 16, lock.type);
    this.uint32(offset + 20, lock.pid);
  }

  /** struct fuse_statx_out, 288 bytes: `mask` says which of struct statx's fields are there (STATX_*). */
  statx(offset: number, reply: AttributesReply & { readonly birthTimeNs?: bigint }): void {
    const { attributes } = reply;
    const stat = offset + 32;
    this.bytes.fill(0, offset, offset + STATX_OUT_BYTES);
    this.#timeout(offset, offset + 8, reply.attributesTimeoutMs);
    this.uint32(stat, STATX_BASIC_STATS | (reply.birthTimeNs === undefined ? 0 : STATX_BTIME));
    this.uint32(stat + 4, attributes.blockSizeBytes);
    this.uint32(stat + 16, attributes.nlink);
    this.uint32(stat + 20, attributes.uid);
    this.uint32(stat + 24, attributes.gid);
    this.uint32(stat + 28, attributes.mode & 0xffff);
    this.safeUint64(stat + 32, attributes.ino);
    this.uint64(stat + 40, attributes.size);
    this.uint64(stat + 48, attributes.blocks);
    this.#time(stat + 64, stat + 72, attributes.atimeNs);
    if (reply.birthTimeNs !== undefined) this.#time(stat + 80, stat + 88, reply.birthTimeNs);
    this.#time(stat + 96, stat + 104, attributes.ctimeNs);
    this.#time(stat + 112, stat + 120, attributes.mtimeNs);
    this.uint32(stat + 128, deviceMajor(attributes.rdev));
    this.uint32(stat + 132, deviceMinor(attributes.rdev));
  }

  /** Copies bytes into the body and returns the length of the whole reply with them. */
  payload(offset: number, payload: Uint8Array): number {
    this.bytes.set(payload, offset);
    return offset + payload.length;
  }

  /** As payload, but bytes that are too many to copy are only remembered (`attached`) and sent from where they are. */
  attach(offset: number, payload: Uint8Array): number {
    if (payload.length <= MAX_COPIED_BYTES) return this.payload(offset, payload);
    this.attached = payload;
    return offset + payload.length;
  }

  /** What fits behind the header. */
  get bodyCapacityBytes(): number {
    return this.bytes.length - OUT_HEADER_BYTES;
  }
}

export const STATX_OUT_BYTES = 288;
/** From include/uapi/linux/stat.h. */
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;

/** The two parts of a device number in the kernel's 32-bit form (new_encode_dev). */
function deviceMajor(rdev: number): number {
  return (rdev >>> 8) & 0xfff;
}

function deviceMinor(rdev: number): number {
  return (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}
