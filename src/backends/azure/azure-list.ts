/** Listing a container. https://learn.microsoft.com/rest/api/storageservices/list-blobs */
import { BackendError } from '../errors.ts';
import { ListingPages } from '../http/listing-pages.ts';
import { expectXml, xmlChildren, xmlText, type XmlElement } from '../http/xml.ts';
import type { AzureConnection } from './azure-connection.ts';

const PAGE_SIZE = 1000;

export interface AzureListedBlob {
  /** With the storage URL's prefix. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** All blobs whose name, prefix included, begins with `namePrefix`. */
export async function* listAzure(
  connection: AzureConnection,
  namePrefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<AzureListedBlob> {
  const pages = new ListingPages(connection.host, namePrefix);
  for (let marker: string | undefined = ''; marker !== undefined;) {
    const query = { ...listQuery(namePrefix, PAGE_SIZE), ...(marker === '' ? {} : { marker }) };
    const response = await connection.request({ method: 'GET', query, signal });
    const page: XmlElement = expectXml(response.body, 'EnumerationResults', connection.host);
    const [blobs] = xmlChildren(page, 'Blobs');
    const listed = (blobs === undefined ? [] : xmlChildren(blobs, 'Blob')).map((element) => listedBlob(element, connection.host));
    // A page may be empty and yet not be the last.
    marker = xmlText(page, 'NextMarker') || undefined;
    yield* pages.next(listed, marker);
  }
}

/** One page of at most one blob: shows that credentials and container are right. */
export async function probeAzureListing(connection: AzureConnection): Promise<void> {
  await connection.request({ method: 'GET', query: listQuery(connection.location.prefix, 1) });
}

function listQuery(prefix: string, maxResults: number): Record<string, string> {
  return { comp: 'list', maxresults: String(maxResults), ...(prefix === '' ? {} : { prefix }) };
}

function listedBlob(element: XmlElement, host: string): AzureListedBlob {
  const name = xmlText(element, 'Name');
  const size = xmlText(xmlChildren(element, 'Properties')[0], 'Content-Length');
  if (name === undefined || size === undefined || !/^\d+$/.test(size)) {
    throw new BackendError(`${host} lists a blob without name or size`, { temporary: true });
  }
  return { name, sizeBytes: Number(size) };
}
