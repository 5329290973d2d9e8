/**
 * Decodes one request in place. A Message is a view that is pointed at a received request (`reset`) and reused for the next; it owns nothing.
 *
 * Every access is checked against the end of the request; what does not fit throws a MessageError (EINVAL). Fields are addressed by their
 * offset in the request's body, the part behind struct fuse_in_header. Byte strings are views of the receive buffer: `bytesTaken` says
 * whether any was handed out, so that the buffer can be kept while somebody may look at them.
 *
 * The protocol is in the machine's byte order and its fields are aligned, hence typed arrays.
 */
import { constants } from 'node:os';
import { EXTENSION_GROUPS } from './abi/flags.ts';
import { IN_HEADER_BYTES } from './abi/protocol.ts';
import { MessageError } from './message-error.ts';

const { EINVAL } = constants.errno;
const TWO_TO_32 = 0x1_0000_0000;
/** Upper word of the first number beyond 2^53. */
const UNSAFE_HIGH_WORD = 0x20_0000;
const EXTENSION_HEADER_BYTES = 8;

/** A buffer that requests are received into. Offsets used with it are multiples of 8. */
export class ReceiveBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly longs: BigUint64Array<ArrayBuffer>;

  /** `sizeBytes` is a multiple of 8. */
  constructor(sizeBytes: number) {
    const memory = new ArrayBuffer(sizeBytes);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.longs = new BigUint64Array(memory);
  }
}

export class Message {
  #buffer: ReceiveBuffer = new ReceiveBuffer(0);
  #header = 0;
  /** Bounds of the body, offsets in the buffer. */
  #start = 0;
  #end = 0;
  #extensionsEnd = 0;

  opcode = 0;
  uniqueLow = 0;
  uniqueHigh = 0;
  nodeId = 0;
  uid = 0;
  gid = 0;
  pid = 0;
  bytesTaken = false;

  /**
   * Points at a request of `length` bytes that lies at `offset` in `buffer`, and decodes its header. Returns false, with as much of the
   * header as there is, if the lengths in it contradict each other.
   */
  reset(buffer: ReceiveBuffer, offset: number, length: number): boolean {
    const { words } = buffer;
    const word = offset >>> 2;
    this.#buffer = buffer;
    this.#header = offset;
    this.#start = offset + IN_HEADER_BYTES;
    this.#end = this.#start;
    this.#extensionsEnd = this.#start;
    this.bytesTaken = false;
    const words16 = length >= 16;
    this.opcode = length >= 8 ? (words[word + 1] ?? 0) : 0;
    this.uniqueLow = words16 ? (words[word + 2] ?? 0) : 0;
    this.uniqueHigh = words16 ? (words[word + 3] ?? 0) : 0;
    if (length < IN_HEADER_BYTES || words[word] !== length) return false;
    const nodeIdHigh = words[word + 5] ?? 0;
    this.nodeId = nodeIdHigh * TWO_TO_32 + (words[word + 4] ?? 0);
    this.uid = words[word + 6] ?? 0;
    this.gid = words[word + 7] ?? 0;
    this.pid = words[word + 8] ?? 0;
    const extensionsBytes = ((words[word + 9] ?? 0) & 0xffff) * 8;
    this.#extensionsEnd = offset + length;
    this.#end = offset + length - extensionsBytes;
    return this.#end >= this.#start && nodeIdHigh < UNSAFE_HIGH_WORD;
  }

  /** Whether it can be replied to: the kernel takes a reply to nobody for a notification. */
  get hasIdentity(): boolean {
    return this.uniqueLow !== 0 || this.uniqueHigh !== 0;
  }

  /** Length of the whole request. */
  get lengthBytes(): number {
    return this.#extensionsEnd - this.#header;
  }

  get bodyBytes(): number {
    return this.#end - this.#start;
  }

  /** Throws unless the body has at least this many bytes: the size of the request's structure. */
  require(sizeBytes: number): void {
    if (this.bodyBytes < sizeBytes) throw new MessageError(`body of ${this.bodyBytes} bytes, ${sizeBytes} needed`, EINVAL);
  }

  uint32(offset: number): number {
    const at = this.#at(offset, 4);
    return this.#buffer.words[at >>> 2] ?? 0;
  }

  /** A 64-bit field that must be below 2^53: a node id, a file handle, a count of ours. */
  safeUint64(offset: number): number {
    const at = this.#at(offset, 8) >>> 2;
    const high = this.#buffer.words[at + 1] ?? 0;
    if (high >= UNSAFE_HIGH_WORD) throw new MessageError(`number at ${offset} beyond 2^53`, EINVAL);
    return high * TWO_TO_32 + (this.#buffer.words[at] ?? 0);
  }

  uint64(offset: number): bigint {
    const at = this.#at(offset, 8);
    return this.#buffer.longs[at >>> 3] ?? 0n;
  }

  /** Seconds (signed) and nanoseconds in two fields, as nanoseconds. */
  timeNs(secondsOffset: number, nanosecondsOffset: number): bigint {
    const nanoseconds = this.uint32(nanosecondsOffset);
    if (nanoseconds >= 1_000_000_000) throw new MessageError(`${nanoseconds} nanoseconds`, EINVAL);
    return BigInt.asIntN(64, this.uint64(secondsOffset)) * 1_000_000_000n + BigInt(nanoseconds);
  }

  /** The `length` bytes at `offset`. */
  take(offset: number, length: number): Uint8Array {
    const at = this.#at(offset, length);
    this.bytesTaken = true;
    return this.#buffer.bytes.subarray(at, at + length);
  }

  /** The string at `offset` up to its NUL, which must be there. Empty strings are refused: no name or target is. */
  string(offset: number): Uint8Array {
    const at = this.#at(offset, 1);
    const end = this.#buffer.bytes.indexOf(0, at);
    if (end === -1 || end >= this.#end) throw new MessageError(`string at ${offset} without end`, EINVAL);
    if (end === at) throw new MessageError(`empty string at ${offset}`, EINVAL);
    this.bytesTaken = true;
    return this.#buffer.bytes.subarray(at, end);
  }

  get hasExtensions(): boolean {
    return this.#extensionsEnd > this.#end;
  }

  /** The groups in the request's extensions; other extensions are skipped, and what can't be understood counts as none. */
  supplementaryGroups(): readonly number[] {
    // Extensions lie behind a name, hence not aligned: copied, as they are rare.
    const words = new Uint32Array(this.#buffer.bytes.slice(this.#end, this.#extensionsEnd).buffer);
    for (let word = 0; word < words.length;) {
      const [sizeBytes = 0, type = 0, count = 0] = words.subarray(word, word + 3);
      const sizeWords = sizeBytes >>> 2;
      if (sizeBytes < EXTENSION_HEADER_BYTES || word + sizeWords > words.length) return [];
      if (type === EXTENSION_GROUPS) return count <= sizeWords - 3 ? [...words.subarray(word + 3, word + 3 + count)] : [];
      word += (sizeWords + 1) & ~1;
    }
    return [];
  }

  #at(offset: number, length: number): number {
    const at = this.#start + offset;
    if (length > this.#end - at) throw new MessageError(`${length} bytes at ${offset} of a body of ${this.bodyBytes}`, EINVAL);
    return at;
  }
}
