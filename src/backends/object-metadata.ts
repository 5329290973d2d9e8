/**
 * The outer metadata of an object: a small mapping that a store keeps beside the payload (reference: S3QL format 2.5).
 * Numbers are integers. How it is written (local file header, HTTP headers, JSON) is each backend's business.
 */
import { BasicMappingError, type BasicMapping, type BasicValue } from '../util/basic-mapping.ts';

export type MetadataValue = string | number | boolean | null | Uint8Array;
export type ObjectMetadata = Readonly<Record<string, MetadataValue>>;

/** A mapping read from a store as object metadata. @throws BasicMappingError for floats and for integers beyond 2^53 */
export function toObjectMetadata(mapping: BasicMapping): ObjectMetadata {
  const odd = Object.entries(mapping).find(([, value]) => !isMetadataValue(value));
  if (odd !== undefined) throw new BasicMappingError(`object metadata cannot hold the number at "${odd[0]}"`);
  return mapping as ObjectMetadata;
}

function isMetadataValue(value: BasicValue): value is MetadataValue {
  return typeof value !== 'bigint' && (typeof value !== 'object' || value === null || value instanceof Uint8Array);
}
