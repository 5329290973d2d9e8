/**
 * The body of a READDIR or READDIRPLUS reply while a handler fills it. It begins in the session's reply buffer, as most handlers are done
 * when they return; one that goes on asynchronously gets a buffer of its own (`detach`), because other replies are made meanwhile.
 */
import type { DirectoryFiller, EntryReply } from './handlers.ts';
import { DIRENT_HEADER_BYTES, ENTRY_OUT_BYTES, OUT_HEADER_BYTES } from './abi/protocol.ts';
import { ReplyBuffer } from './reply-buffer.ts';

const S_IFMT = 0o170000;

export class DirectoryListing implements DirectoryFiller {
  #reply: ReplyBuffer;
  readonly #limit: number;
  #length = OUT_HEADER_BYTES;

  /** `sizeBytes`: of the body, as the kernel asks; what the buffer can't hold is not offered. */
  constructor(reply: ReplyBuffer, sizeBytes: number) {
    this.#reply = reply;
    this.#limit = OUT_HEADER_BYTES + Math.min(sizeBytes, reply.bodyCapacityBytes);
  }

  /** Moves to a buffer of its own. */
  detach(): void {
    const own = new ReplyBuffer(this.#limit);
    own.bytes.set(this.#reply.bytes.subarray(0, this.#length));
    this.#reply = own;
  }

  /** Puts the listing into the reply, where it may be already; returns the length of the whole. */
  finish(reply: ReplyBuffer): number {
    if (this.#reply === reply) return this.#length;
    return reply.attach(OUT_HEADER_BYTES, this.#reply.bytes.subarray(OUT_HEADER_BYTES, this.#length));
  }

  fits(nameLengthBytes: number): boolean {
    return this.#length + align(ENTRY_OUT_BYTES + DIRENT_HEADER_BYTES + nameLengthBytes) <= this.#limit;
  }

  add(name: Uint8Array, ino: number, type: number, nextOffset: bigint): boolean {
    const end = this.#length + align(DIRENT_HEADER_BYTES + name.length);
    if (end > this.#limit) return false;
    this.#dirent(this.#length, name, ino, type, nextOffset);
    this.#length = end;
    return true;
  }

  addPlus(name: Uint8Array, nextOffset: bigint, entry: EntryReply): boolean {
    const end = this.#length + align(ENTRY_OUT_BYTES + DIRENT_HEADER_BYTES + name.length);
    if (end > this.#limit) return false;
    this.#reply.entry(this.#length, entry);
    this.#dirent(this.#length + ENTRY_OUT_BYTES, name, entry.attributes?.ino ?? 0, entry.attributes?.mode ?? 0, nextOffset);
    this.#length = end;
    return true;
  }

  /** struct fuse_dirent; the kernel wants the mode's type shifted down, as getdents(2) has it. */
  #dirent(at: number, name: Uint8Array, ino: number, type: number, nextOffset: bigint): void {
    const reply = this.#reply;
    reply.safeUint64(at, ino);
    reply.uint64(at + 8, nextOffset);
    reply.uint32(at + 16, name.length);
    reply.uint32(at + 20, (type & S_IFMT) >>> 12);
    const end = reply.payload(at + DIRENT_HEADER_BYTES, name);
    reply.bytes.fill(0, end, align(end));
  }
}

function align(sizeBytes: number): number {
  return (sizeBytes + 7) & ~7;
}
