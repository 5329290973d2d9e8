/** Outer metadata as text: a basic mapping (S3QL format 2.3) whose numbers are all integers of less than 54 bits. */
import { BasicMappingError, parseBasicMapping } from '../util/basic-mapping.ts';
import type { BasicValue } from '../util/basic-mapping.ts';
import type { MetadataValue, ObjectMetadata } from './object-metadata.ts';

/** @throws BasicMappingError */
export function parseObjectMetadata(text: Uint8Array | string): ObjectMetadata {
  const mapping = parseBasicMapping(text);
  for (const [key, value] of Object.entries(mapping)) {
    if (!isMetadataValue(value)) throw new BasicMappingError(`the value of "${key}" is no text, integer, boolean or bytes`);
  }
  return mapping as ObjectMetadata;
}

function isMetadataValue(value: BasicValue): value is MetadataValue {
  return value === null || value instanceof Uint8Array || ['string', 'number', 'boolean'].includes(typeof value);
}
