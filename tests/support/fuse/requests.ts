/** Requests as the kernel lays them out, made by hand. */
import { Opcode } from '../../../src/fuse/abi/opcodes.ts';

const IN_HEADER_BYTES = 40;

export interface RequestHeader {
  readonly unique?: bigint;
  readonly nodeId?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
  /** Extensions, a multiple of 8 bytes. */
  readonly extensions?: Uint8Array;
  /** What the header says instead of the real length. */
  readonly claimedLength?: number;
}

export function u32(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

export function u64(...values: readonly (bigint | number)[]): Buffer {
  return Buffer.from(BigUint64Array.from(values.map((value) => BigInt.asUintN(64, BigInt(value)))).buffer);
}

/** A string with its NUL. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

let lastUnique = 0n;

/** A request with the parts as its body; each has an identity of its own unless told otherwise. */
export function request(opcode: number, header: RequestHeader, ...parts: readonly Uint8Array[]): Buffer {
  const extensions = header.extensions ?? new Uint8Array(0);
  const body = Buffer.concat([...parts, extensions]);
  const message = Buffer.alloc(IN_HEADER_BYTES + body.length);
  lastUnique += 2n;
  message.writeUInt32LE(header.claimedLength ?? message.length, 0);
  message.writeUInt32LE(opcode, 4);
  message.writeBigUInt64LE(header.unique ?? lastUnique, 8);
  message.writeBigUInt64LE(header.nodeId ?? 1n, 16);
  message.writeUInt32LE(header.uid ?? 1000, 24);
  message.writeUInt32LE(header.gid ?? 1001, 28);
  message.writeUInt32LE(header.pid ?? 4242, 32);
  message.writeUInt16LE(extensions.length / 8, 36);
  message.set(body, IN_HEADER_BYTES);
  return message;
}

export interface InitOffer {
  readonly major?: number;
  readonly minor?: number;
  readonly maxReadaheadBytes?: number;
  readonly flags?: number;
  readonly flags2?: number;
}

/** INIT as a kernel of 7.36 or newer sends it; all features offered unless told otherwise. */
export function init(offer: InitOffer = {}): Buffer {
  return request(
    Opcode.INIT,
    { nodeId: 0n },
    u32(offer.major ?? 7, offer.minor ?? 45, offer.maxReadaheadBytes ?? 131_072, offer.flags ?? 0xffff_ffff, offer.flags2 ?? 0xffff_ffff),
    Buffer.alloc(44),
  );
}
