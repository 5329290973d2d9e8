/**
 * The deterministic checksum of an object's outer metadata (S3QL format 2.6): keyed it is the signature of an encrypted object, as MD5 it
 * guards the metadata on its way through HTTP headers. The entry `signature` is never part of it.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Hash, Hmac } from 'node:crypto';
import type { MetadataValue, ObjectMetadata } from './object-metadata.ts';

/** HMAC-SHA-256 over the mapping: 32 bytes. */
export function metadataHmac(key: Uint8Array, metadata: ObjectMetadata): Buffer {
  return feed(createHmac('sha256', key), metadata).digest();
}

/** MD5 over the mapping: 16 bytes. */
export function metadataMd5(metadata: ObjectMetadata): Buffer {
  return feed(createHash('md5'), metadata).digest();
}

function feed<T extends Hash | Hmac>(digest: T, metadata: ObjectMetadata): T {
  const entries = Object.entries(metadata).filter(([key]) => key !== 'signature');
  // Python sorts by code point, as UTF-8 does; JavaScript by UTF-16 unit.
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [key, value] of entries) {
    digest.update(key, 'utf8');
    feedValue(digest, value);
  }
  return digest;
}

function feedValue(digest: Hash | Hmac, value: MetadataValue): void {
  if (value === null) digest.update('\0n');
  else if (typeof value === 'string') digest.update(`\0s${value}\0`, 'utf8');
  else if (typeof value === 'boolean') digest.update(value ? '\0t' : '\0f');
  else if (typeof value === 'number') digest.update(`\0i${value}\0`);
  else {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.byteLength);
    digest.update('\0b').update(length).update(value);
  }
}
