/**
 * The packets of SFTP version 3: length, type, and fields of integers and counted bytes, all big-endian.
 * https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
 */

/** Larger ones no server sends. */
const MAX_PACKET_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;

/** The stream does not follow the protocol: it is of no more use. */
export class SftpProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SftpProtocolError';
  }
}

/** Writes the fields of a packet. */
export class PacketWriter {
  readonly #parts: Uint8Array[] = [];

  byte(value: number): this {
    this.#parts.push(Uint8Array.of(value));
    return this;
  }

  uint32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value);
    this.#parts.push(bytes);
    return this;
  }

  uint64(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(BigInt(value));
    this.#parts.push(bytes);
    return this;
  }

  /** Counted. Text as UTF-8. */
  string(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    this.uint32(bytes.byteLength);
    this.#parts.push(bytes);
    return this;
  }

  /** Length and fields. */
  finish(): Uint8Array[] {
    const size = this.#parts.reduce((sum, part) => sum + part.byteLength, 0);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(size);
    return [length, ...this.#parts];
  }
}

/** Reads the fields of a packet. @throws SftpProtocolError where there are no more */
export class PacketReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.byteLength;
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** @throws SftpProtocolError beyond 2^53, too */
  uint64(): number {
    const value = Number(this.#take(8).readBigUInt64BE());
    if (!Number.isSafeInteger(value)) throw new SftpProtocolError('a number is too large');
    return value;
  }

  /** A view of the packet. */
  string(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }

  #take(size: number): Buffer {
    if (this.#at + size > this.#bytes.byteLength) throw new SftpProtocolError('a packet is too short');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

/** Cuts a stream into packets, copying only those that came in pieces. */
export class PacketSplitter {
  #chunks: Buffer[] = [];
  #size = 0;
  /** With fewer bytes no packet is complete. */
  #wanted = LENGTH_BYTES;

  /** The packets that are complete with this chunk, without their lengths. @throws SftpProtocolError for an impossible length */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    if (this.#size < this.#wanted) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const packets: Buffer[] = [];
    let at = 0;
    let end = packetEnd(bytes, at);
    for (; end <= bytes.byteLength; end = packetEnd(bytes, at)) {
      packets.push(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    const rest = bytes.subarray(at);
    this.#chunks = [rest];
    this.#size = rest.byteLength;
    this.#wanted = end - at;
    return packets;
  }
}

/** Where the packet that begins at `at` ends, as far as that is known. */
function packetEnd(bytes: Buffer, at: number): number {
  if (bytes.byteLength - at < LENGTH_BYTES) return at + LENGTH_BYTES;
  const length = bytes.readUInt32BE(at);
  if (length === 0 || length > MAX_PACKET_BYTES) throw new SftpProtocolError(`a packet of ${length} bytes`);
  return at + LENGTH_BYTES + length;
}
