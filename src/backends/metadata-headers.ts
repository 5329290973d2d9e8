/**
 * Where HTTP stores keep an object's metadata (S3QL format 2.10): the basic mapping, cut into header values of at most 255 characters
 * (`raw2`, S3 and Swift families), or one entry of a string map per key (Google).
 *
 * What is written reads back exactly, in spite of what HTTP does to header values: they hold printable ASCII only and neither begin nor end
 * with a space. What is read was written by a stranger: whatever isn't a complete mapping with the right checksum is a corrupted object.
 */
import { createHash } from 'node:crypto';
import { BasicMappingError, basicValueRepr, parseBasicMapping } from '../util/basic-mapping.ts';
import { checksumInput } from '../util/mapping-checksum.ts';
import { BackendError, CorruptedObjectError } from './errors.ts';
import { toObjectMetadata, type ObjectMetadata } from './object-metadata.ts';

type Headers = Readonly<Record<string, string>>;

const FORMAT = 'raw2';
const MAX_CHUNK_CHARS = 255;
/** S3 counts names and values of user metadata together; 4 stands for a header's `-NNN`. */
const MAX_TOTAL_CHARS = 2048;
const CHUNK_OVERHEAD_CHARS = 4;
const MAX_CHUNKS = 1000;

/** Everything but these characters is percent-encoded. */
const ENCODED = /[^A-Za-z0-9!@#$^*()=+/?\-_'"><\\| `.,;:~]/gu;

export interface HeaderLayout {
  /** What precedes `000`, `format` and `md5`, in lower case, e.g. `x-amz-meta-`. */
  readonly prefix: string;
  /** The store's own limit for a header value if it is below 255. */
  readonly maxValueChars?: number;
}

/** The headers for `metadata`. @throws BackendError if it is larger than stores take (2048 characters) */
export function metadataToHeaders(metadata: ObjectMetadata, layout: HeaderLayout): Record<string, string> {
  const limit = Math.min(layout.maxValueChars ?? MAX_CHUNK_CHARS, MAX_CHUNK_CHARS);
  const chunks = Object.entries(metadata).flatMap(([key, value]) => entryChunks(basicValueRepr(key), basicValueRepr(value), limit));
  const total = chunks.reduce((sum, chunk) => sum + CHUNK_OVERHEAD_CHARS + chunk.length, 0);
  if (total > MAX_TOTAL_CHARS)
    throw new BackendError(`object metadata takes ${total} characters of headers, stores allow ${MAX_TOTAL_CHARS}`);
  const headers: Record<string, string> = {};
  for (const [index, chunk] of chunks.entries()) headers[`${layout.prefix}${numbered(index)}`] = chunk;
  headers[`${layout.prefix}format`] = FORMAT;
  headers[`${layout.prefix}md5`] = checksum(metadata);
  return headers;
}

/**
 * The metadata in the headers of a response (names in lower case). B2's old native interface put one more `meta-` before the names:
 * that is understood, too.
 * @throws CorruptedObjectError
 */
export function metadataFromHeaders(headers: Headers, layout: HeaderLayout, key: string): ObjectMetadata {
  const current = layout.prefix;
  const prefix = headers[`${current}format`] === undefined && headers[`${current}meta-format`] !== undefined ? `${current}meta-` : current;
  return readChunks((name) => headers[prefix + name], key);
}

/** Google's layout: the metadata map of an object. */
export function metadataToMap(metadata: ObjectMetadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, basicValueRepr(value)]));
}

/** Reads Google's layout, and the older one with numbered keys. @throws CorruptedObjectError */
export function metadataFromMap(map: Readonly<Record<string, string>>, key: string): ObjectMetadata {
  if (map['format'] === FORMAT && map['md5'] !== undefined) return readChunks((name) => map[name], key);
  const entries = Object.entries(map);
  return parse(entries.map(([name, value]) => `${basicValueRepr(name)}: ${value}`).join(', '), key);
}

function readChunks(chunkAt: (name: string) => string | undefined, key: string): ObjectMetadata {
  const format = chunkAt('format');
  if (format === undefined) throw new CorruptedObjectError(`object ${key} has no metadata: it was not written by this program`);
  if (format !== FORMAT) throw new CorruptedObjectError(`object ${key} has metadata of an unknown format "${format}"`);
  let text = '';
  for (let index = 0; index < MAX_CHUNKS; index += 1) {
    const chunk = chunkAt(numbered(index));
    if (chunk === undefined) break;
    text += chunk;
  }
  const metadata = parse(percentDecoded(text, key), key);
  if (chunkAt('md5') !== checksum(metadata)) throw new CorruptedObjectError(`the metadata of object ${key} has a wrong checksum`);
  return metadata;
}

function entryChunks(key: string, value: string, limit: number): string[] {
  const entry = `${percentEncoded(key)}: ${percentEncoded(value)},`;
  if (entry.length < limit) return [entry];
  // A chunk must not begin or end with a space: HTTP would drop it.
  const spaceless = `${percentEncoded(key).replaceAll(' ', '%20')}: ${percentEncoded(value).replaceAll(' ', '%20')},`;
  const chunks: string[] = [];
  for (let at = 0; at < spaceless.length;) {
    let end = Math.min(at + limit, spaceless.length);
    while (end < spaceless.length && (spaceless[end] === ' ' || spaceless[end - 1] === ' ')) end -= 1;
    chunks.push(spaceless.slice(at, end));
    at = end;
  }
  return chunks;
}

function percentEncoded(text: string): string {
  return text.replace(ENCODED, (char) =>
    Array.from(Buffer.from(char, 'utf8'), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function percentDecoded(text: string, key: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new CorruptedObjectError(`the metadata of object ${key} is not percent-encoded UTF-8`, { cause });
  }
}

function parse(entries: string, key: string): ObjectMetadata {
  try {
    return toObjectMetadata(parseBasicMapping(`{ ${entries} }`));
  } catch (cause) {
    if (!(cause instanceof BasicMappingError)) throw cause;
    throw new CorruptedObjectError(`the metadata of object ${key} is not readable: ${cause.message}`, { cause });
  }
}

function checksum(metadata: ObjectMetadata): string {
  return createHash('md5').update(checksumInput(metadata)).digest('base64');
}

function numbered(index: number): string {
  return String(index).padStart(3, '0');
}
