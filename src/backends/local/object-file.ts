/** The file of an object in a local store (S3QL format 2.9): `s3ql_1\n`, uint16-LE length, metadata as basic mapping text, payload. */
import { BasicMappingError, parseBasicMapping, writeBasicMapping } from '../../util/basic-mapping.ts';
import { BackendError, CorruptedObjectError } from '../errors.ts';
import { toObjectMetadata } from '../object-metadata.ts';
import type { ObjectMetadata } from '../object-metadata.ts';

const MAGIC = Buffer.from('s3ql_1\n');
const MAX_METADATA_BYTES = 0xffff;

/** Magic and length: what tells where the payload begins. */
export const PREAMBLE_BYTES: number = MAGIC.byteLength + 2;

/** Everything before the payload. @throws BackendError if the metadata is too large for the format */
export function encodeHeader(metadata: ObjectMetadata): Uint8Array<ArrayBuffer> {
  const text = writeBasicMapping(metadata);
  if (text.byteLength > MAX_METADATA_BYTES) {
    throw new BackendError(`object metadata of ${text.byteLength} bytes is too large (limit ${MAX_METADATA_BYTES})`);
  }
  const header = Buffer.allocUnsafe(PREAMBLE_BYTES + text.byteLength);
  header.set(MAGIC);
  header.writeUInt16LE(text.byteLength, MAGIC.byteLength);
  header.set(text, PREAMBLE_BYTES);
  return header;
}

/** Where the payload begins, from the first PREAMBLE_BYTES of a file or more. @throws CorruptedObjectError */
export function payloadOffset(key: string, file: Buffer): number {
  if (file.byteLength < PREAMBLE_BYTES) throw new CorruptedObjectError(`object ${key} is truncated: ${file.byteLength} bytes`);
  if (!MAGIC.equals(file.subarray(0, MAGIC.byteLength))) throw new CorruptedObjectError(`object ${key} is no S3QL object: wrong magic`);
  return PREAMBLE_BYTES + file.readUInt16LE(MAGIC.byteLength);
}

/** The metadata, from at least the first `payloadOffset` bytes of a file. @throws CorruptedObjectError */
export function decodeMetadata(key: string, file: Buffer): ObjectMetadata {
  const end = payloadOffset(key, file);
  if (file.byteLength < end) throw new CorruptedObjectError(`object ${key} is truncated within its metadata`);
  try {
    return toObjectMetadata(parseBasicMapping(file.subarray(PREAMBLE_BYTES, end)));
  } catch (cause) {
    if (!(cause instanceof BasicMappingError)) throw cause;
    throw new CorruptedObjectError(`object ${key} has unreadable metadata: ${cause.message}`, { cause });
  }
}
