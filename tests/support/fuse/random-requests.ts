/** Random requests, sound and damaged, as no kernel sends them (fast-check). */
import * as fc from 'fast-check';
import { MAX_OPCODE, Opcode } from '../../../src/fuse/abi/opcodes.ts';
import { request, text, u32, u64 } from './requests.ts';

/** A read from /dev/fuse never returns more. */
const MAX_MESSAGE_BYTES = 65_536;

const unanswered: ReadonlySet<number> = new Set([Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.NOTIFY_REPLY]);

/** Numbers that structures are full of, and those at the edges. */
const edge = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const part = fc.oneof(
  fc.array(edge, { maxLength: 8 }).map((values) => u64(...values)),
  fc.array(fc.nat({ max: 300 }), { maxLength: 8 }).map((values) => u32(...values)),
  fc.string({ maxLength: 40 }).map((value) => text(value)),
  fc.uint8Array({ maxLength: 200 }),
);
const opcode = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: MAX_OPCODE + 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 4096, 0xffff_ffff, 1_048_576) },
);
const noise = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** Requests about any of `nodeIds`, or about what does not exist; among them such as are cut off or no requests at all. */
export function randomRequests(nodeIds: fc.Arbitrary<bigint> = fc.constant(1n)): fc.Arbitrary<Buffer> {
  const header = fc.record({
    unique: edge,
    nodeId: fc.oneof({ weight: 3, arbitrary: nodeIds }, edge),
    uid: fc.nat(),
    extensions: fc.oneof(
      fc.constant(new Uint8Array(0)),
      fc.array(fc.nat({ max: 40 }), { maxLength: 10 }).map((values) => u32(...values, ...(values.length % 2 === 0 ? [] : [0]))),
    ),
  });
  const message = fc
    .tuple(opcode, header, fc.array(part, { maxLength: 5 }), fc.oneof(fc.constant(undefined), fc.nat({ max: 10_000 })))
    .map(([code, fields, parts, claimedLength]) =>
      request(code, { ...fields, ...(claimedLength === undefined ? {} : { claimedLength }) }, ...parts).subarray(0, MAX_MESSAGE_BYTES),
    );
  const truncated = fc.tuple(message, fc.nat({ max: 120 })).map(([whole, length]) => whole.subarray(0, length));
  return fc.oneof({ weight: 3, arbitrary: message }, truncated, noise);
}

/** The request's identity, if it has one and wants a reply. */
export function answerable(bytes: Buffer): bigint | undefined {
  if (bytes.length < 16 || unanswered.has(bytes.readUInt32LE(4))) return undefined;
  const unique = bytes.readBigUInt64LE(8);
  return unique === 0n ? undefined : unique;
}
