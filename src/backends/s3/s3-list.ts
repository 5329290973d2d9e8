/** Listing a bucket: ListObjectsV2, and the first version where a store knows only that. */
import { BackendError } from '../errors.ts';
import { ListingPages } from '../http/listing-pages.ts';
import { expectXml, xmlChildren, xmlText, type XmlElement } from '../http/xml.ts';
import type { S3Connection } from './s3-connection.ts';

const PAGE_SIZE = 1000;

export interface S3ListedObject {
  /** With the storage URL's prefix. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** All objects whose name, prefix included, begins with `namePrefix`. `version` is what to begin with. */
export async function* listS3(
  connection: S3Connection,
  namePrefix: string,
  version: 1 | 2,
  signal: AbortSignal | undefined,
): AsyncGenerator<S3ListedObject> {
  const { host } = new URL(connection.location.origin);
  const pages = new ListingPages(host, namePrefix);
  let continuation: Readonly<Record<string, string>> | undefined = version === 2 ? { 'list-type': '2' } : {};
  while (continuation !== undefined) {
    const query = { ...continuation, prefix: namePrefix, 'max-keys': String(PAGE_SIZE) };
    const response = await connection.send({ method: 'GET', query, signal });
    if ('list-type' in continuation && (response.status === 501 || response.status === 405)) {
      continuation = {};
      continue;
    }
    if (response.status !== 200) throw await connection.error({ method: 'GET', query }, response);
    const page = expectXml(response.body, 'ListBucketResult', host);
    const objects = xmlChildren(page, 'Contents').map((element) => listedObject(element, host));
    continuation = nextPage(page, objects.at(-1)?.name, host);
    yield* pages.next(objects, continuation?.['continuation-token'] ?? continuation?.['marker']);
  }
}

/** One page of at most one object: shows that credentials, bucket and region are right. */
export async function probeS3Listing(connection: S3Connection): Promise<void> {
  await connection.request({ method: 'GET', query: { prefix: connection.location.prefix, 'max-keys': '1' } });
}

function listedObject(element: XmlElement, host: string): S3ListedObject {
  const name = xmlText(element, 'Key');
  const size = xmlText(element, 'Size');
  if (name === undefined || size === undefined || !/^\d+$/.test(size))
    throw new BackendError(`${host} lists an object without name or size`, { temporary: true });
  return { name, sizeBytes: Number(size) };
}

/** What to ask for the next page with. A store that ignores `list-type` answers with a page of the first version: go on in that. */
function nextPage(page: XmlElement, lastName: string | undefined, host: string): Record<string, string> | undefined {
  if (xmlText(page, 'IsTruncated') !== 'true') return undefined;
  const token = xmlText(page, 'NextContinuationToken');
  if (token !== undefined) return { 'list-type': '2', 'continuation-token': token };
  const marker = xmlText(page, 'NextMarker') || lastName;
  if (marker === undefined) throw new BackendError(`${host} says that a listing goes on, but not where`, { temporary: true });
  return { marker };
}
