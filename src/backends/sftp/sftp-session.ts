/**
 * An SFTP client, version 3 with OpenSSH's extensions, over any pair of streams. Requests are sent at once and answered in any order, so callers get
 * parallel transfers by not waiting.
 *
 * When the streams end or break the protocol, every request under way fails with the session's error, as does every later one.
 * https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02, https://github.com/openssh/openssh-portable/blob/master/PROTOCOL
 */
import type { Readable, Writable } from 'node:stream';
import { Bandwidth } from '../bandwidth/bandwidth.ts';
import { PacketReader, PacketSplitter, PacketWriter, SftpProtocolError } from './packets.ts';

const PROTOCOL_VERSION = 3;
/** What every server takes and gives at once. */
const DEFAULT_TRANSFER_BYTES = 32 * 1024;
const MAX_TRANSFER_BYTES = 255 * 1024;

const TYPE = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  FSTAT: 8,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  STAT: 17,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

export const OPEN_READ = 0x01;
/** Create for writing; fails if it exists. */
export const OPEN_CREATE: number = 0x02 | 0x08 | 0x20;

export const STATUS = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4, OP_UNSUPPORTED: 8 } as const;

const ATTRIBUTE = { SIZE: 1, OWNER: 2, MODE: 4, TIMES: 8, EXTENDED: 0x8000_0000 } as const;
const MODE_TYPE_MASK = 0o170000;
const MODE_DIRECTORY = 0o040000;

/** The server refused a request. */
export class SftpStatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'SftpStatusError';
    this.status = status;
  }
}

export interface SftpAttributes {
  readonly sizeBytes: number | undefined;
  readonly isDirectory: boolean;
  readonly mtimeMs: number | undefined;
}

export interface SftpEntry extends SftpAttributes {
  readonly name: string;
}

export type SftpHandle = Buffer;

/** Extensions this program makes use of. */
export type SftpExtension =
  | 'posix-rename@openssh.com'
  | 'hardlink@openssh.com'
  | 'fsync@openssh.com'
  | 'statvfs@openssh.com'
  | 'limits@openssh.com';

interface Waiting {
  readonly resolve: (reply: PacketReader & { readonly type: number }) => void;
  readonly reject: (error: unknown) => void;
}

export class SftpSession {
  readonly #input: Writable;
  readonly #bandwidth: Bandwidth;
  readonly #splitter = new PacketSplitter();
  readonly #waiting = new Map<number, Waiting>();
  readonly #extensions = new Set<string>();
  readonly #greeting = Promise.withResolvers<void>();
  #greeted = false;
  #nextId = 0;
  #failure: Error | undefined;
  #lastReceivedMs = performance.now();
  #maxReadBytes = DEFAULT_TRANSFER_BYTES;
  #maxWriteBytes = DEFAULT_TRANSFER_BYTES;

  private constructor(input: Writable, output: Readable, bandwidth: Bandwidth) {
    this.#input = input;
    this.#bandwidth = bandwidth;
    output.on('data', (chunk: Buffer) => this.#receive(chunk));
    // Nobody may be waiting for it when it fails.
    void this.#greeting.promise.catch(() => undefined);
    // What happens to the streams, whoever made them reports through `fail`.
    input.on('error', () => undefined);
    output.on('error', () => undefined);
  }

  /** Not ready before `handshake` resolved. @param input what the server reads. @param output what it writes */
  static over(input: Writable, output: Readable, bandwidth: Bandwidth = new Bandwidth()): SftpSession {
    return new SftpSession(input, output, bandwidth);
  }

  /** Agrees on the version and learns what the server can do. */
  async handshake(): Promise<void> {
    this.#send(new PacketWriter().byte(TYPE.INIT).uint32(PROTOCOL_VERSION));
    await this.#greeting.promise;
    if (!this.has('limits@openssh.com')) return;
    const limits = await this.#extended('limits@openssh.com', (packet) => packet, TYPE.EXTENDED_REPLY);
    limits.uint64();
    this.#maxReadBytes = transferLimit(limits.uint64());
    this.#maxWriteBytes = transferLimit(limits.uint64());
  }

  has(extension: SftpExtension): boolean {
    return this.#extensions.has(extension);
  }

  /** Whether the server owes an answer. */
  get waiting(): boolean {
    return !this.#greeted || this.#waiting.size > 0;
  }

  /** Since anything came from the server, or since it was asked after a pause. */
  get silenceMs(): number {
    return performance.now() - this.#lastReceivedMs;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get maxReadBytes(): number {
    const { limited, pieceBytes } = this.#bandwidth.download;
    return limited ? Math.min(pieceBytes, this.#maxReadBytes) : this.#maxReadBytes;
  }

  get maxWriteBytes(): number {
    const { limited, pieceBytes } = this.#bandwidth.upload;
    return limited ? Math.min(pieceBytes, this.#maxWriteBytes) : this.#maxWriteBytes;
  }

  /** Ends the session: all requests fail with this error. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#greeting.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** @param flags OPEN_READ or OPEN_CREATE */
  async open(path: string, flags: number): Promise<SftpHandle> {
    const reply = await this.#request(TYPE.OPEN, (packet) => packet.string(path).uint32(flags).uint32(0), TYPE.HANDLE);
    return Buffer.from(reply.string());
  }

  async close(handle: SftpHandle): Promise<void> {
    await this.#command(TYPE.CLOSE, (packet) => packet.string(handle));
  }

  /** At most `maxReadBytes`; may be shorter than asked for. Empty at the end of the file. */
  async read(handle: SftpHandle, offset: number, lengthBytes: number): Promise<Buffer> {
    try {
      const length = Math.min(lengthBytes, this.#maxReadBytes);
      await this.#bandwidth.download.pass(length);
      return (await this.#request(TYPE.READ, (packet) => packet.string(handle).uint64(offset).uint32(length), TYPE.DATA)).string();
    } catch (error) {
      if (error instanceof SftpStatusError && error.status === STATUS.EOF) return Buffer.alloc(0);
      throw error;
    }
  }

  /** @param bytes at most `maxWriteBytes` */
  async write(handle: SftpHandle, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#bandwidth.upload.pass(bytes.byteLength);
    await this.#command(TYPE.WRITE, (packet) => packet.string(handle).uint64(offset).string(bytes));
  }

  async fstat(handle: SftpHandle): Promise<SftpAttributes> {
    return readAttributes(await this.#request(TYPE.FSTAT, (packet) => packet.string(handle), TYPE.ATTRS));
  }

  async stat(path: string): Promise<SftpAttributes> {
    return readAttributes(await this.#request(TYPE.STAT, (packet) => packet.string(path), TYPE.ATTRS));
  }

  async mkdir(path: string): Promise<void> {
    await this.#command(TYPE.MKDIR, (packet) => packet.string(path).uint32(0));
  }

  async rmdir(path: string): Promise<void> {
    await this.#command(TYPE.RMDIR, (packet) => packet.string(path));
  }

  async remove(path: string): Promise<void> {
    await this.#command(TYPE.REMOVE, (packet) => packet.string(path));
  }

  /** All entries but `.` and `..`. */
  async readDirectory(path: string): Promise<SftpEntry[]> {
    const reply = await this.#request(TYPE.OPENDIR, (packet) => packet.string(path), TYPE.HANDLE);
    const handle = Buffer.from(reply.string());
    const entries: SftpEntry[] = [];
    try {
      for (;;) {
        const page = await this.#request(TYPE.READDIR, (packet) => packet.string(handle), TYPE.NAME);
        for (let left = page.uint32(); left > 0; left -= 1) {
          const name = page.text();
          page.string();
          const attributes = readAttributes(page);
          if (name !== '.' && name !== '..') entries.push({ name, ...attributes });
        }
      }
    } catch (error) {
      if (!(error instanceof SftpStatusError) || error.status !== STATUS.EOF) throw error;
    } finally {
      await this.close(handle);
    }
    return entries;
  }

  /** As rename(2): replaces what is there. */
  async posixRename(from: string, to: string): Promise<void> {
    await this.#extended('posix-rename@openssh.com', (packet) => packet.string(from).string(to), TYPE.STATUS);
  }

  /** As link(2): fails if `to` exists. */
  async hardlink(from: string, to: string): Promise<void> {
    await this.#extended('hardlink@openssh.com', (packet) => packet.string(from).string(to), TYPE.STATUS);
  }

  async fsync(handle: SftpHandle): Promise<void> {
    await this.#extended('fsync@openssh.com', (packet) => packet.string(handle), TYPE.STATUS);
  }

  /** Bytes that the user may still write to the file system of `path`. */
  async availableBytes(path: string): Promise<number> {
    const reply = await this.#extended('statvfs@openssh.com', (packet) => packet.string(path), TYPE.EXTENDED_REPLY);
    reply.uint64();
    const fragmentBytes = reply.uint64();
    reply.uint64();
    reply.uint64();
    return reply.uint64() * fragmentBytes;
  }

  #extended(name: SftpExtension, fields: (packet: PacketWriter) => PacketWriter, expected: number): Promise<PacketReader> {
    return this.#request(TYPE.EXTENDED, (packet) => fields(packet.string(name)), expected);
  }

  async #command(type: number, fields: (packet: PacketWriter) => PacketWriter): Promise<void> {
    await this.#request(type, fields, TYPE.STATUS);
  }

  /** @param expected the type of a good answer; STATUS: it must say OK */
  async #request(type: number, fields: (packet: PacketWriter) => PacketWriter, expected: number): Promise<PacketReader> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    if (this.#waiting.size === 0) this.#lastReceivedMs = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<PacketReader & { readonly type: number }>();
    this.#waiting.set(id, { resolve, reject });
    this.#send(fields(new PacketWriter().byte(type).uint32(id)));
    const reply = await promise;
    if (reply.type === TYPE.STATUS) {
      const status = reply.uint32();
      if (status !== STATUS.OK || expected !== TYPE.STATUS)
        throw new SftpStatusError(status, reply.done ? `status ${status}` : reply.text());
    } else if (reply.type !== expected) {
      throw new SftpProtocolError(`an answer of type ${reply.type} instead of ${expected}`);
    }
    return reply;
  }

  #send(packet: PacketWriter): void {
    this.#input.cork();
    for (const part of packet.finish()) this.#input.write(part);
    process.nextTick(() => this.#input.uncork());
  }

  #receive(chunk: Buffer): void {
    this.#lastReceivedMs = performance.now();
    try {
      for (const bytes of this.#splitter.push(chunk)) this.#dispatch(new Reply(bytes));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #dispatch(reply: Reply): void {
    if (reply.type === TYPE.VERSION) {
      const version = reply.uint32();
      if (version < PROTOCOL_VERSION) throw new SftpProtocolError(`the server speaks version ${version} only`);
      while (!reply.done) {
        this.#extensions.add(reply.text());
        reply.string();
      }
      this.#greeted = true;
      this.#greeting.resolve();
      return;
    }
    const id = reply.uint32();
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new SftpProtocolError(`an answer to a request ${id} that was never made`);
    this.#waiting.delete(id);
    waiting.resolve(reply);
  }
}

/** A packet from the server; its type is read. */
class Reply extends PacketReader {
  readonly type: number;

  constructor(bytes: Buffer) {
    super(bytes);
    this.type = this.byte();
  }
}

/** 0 means that the server names no limit. */
function transferLimit(offered: number): number {
  return offered === 0 ? DEFAULT_TRANSFER_BYTES : Math.min(offered, MAX_TRANSFER_BYTES);
}

function readAttributes(packet: PacketReader): SftpAttributes {
  const flags = packet.uint32();
  const sizeBytes = (flags & ATTRIBUTE.SIZE) === 0 ? undefined : packet.uint64();
  if ((flags & ATTRIBUTE.OWNER) !== 0) {
    packet.uint32();
    packet.uint32();
  }
  const mode = (flags & ATTRIBUTE.MODE) === 0 ? 0 : packet.uint32();
  let mtimeMs: number | undefined;
  if ((flags & ATTRIBUTE.TIMES) !== 0) {
    packet.uint32();
    mtimeMs = packet.uint32() * 1000;
  }
  if ((flags & ATTRIBUTE.EXTENDED) !== 0) {
    for (let left = packet.uint32(); left > 0; left -= 1) {
      packet.string();
      packet.string();
    }
  }
  return { sizeBytes, isDirectory: (mode & MODE_TYPE_MASK) === MODE_DIRECTORY, mtimeMs };
}
