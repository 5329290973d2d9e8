/** Listing a Swift container, as JSON and page by page. */
import { BackendError } from '../errors.ts';
import { isSuccess } from '../http/http-status.ts';
import { ListingPages } from '../http/listing-pages.ts';
import { parseJson } from '../http/json.ts';
import { noSuchContainer } from './swift-container.ts';
import type { SwiftConnection } from './swift-connection.ts';
import { swiftError } from './swift-errors.ts';

const PAGE_SIZE = 1000;

export interface SwiftListedObject {
  readonly name: string;
  readonly bytes: number;
}

function isListedObject(value: unknown): value is SwiftListedObject {
  if (typeof value !== 'object' || value === null) return false;
  const { name, bytes } = value as Partial<SwiftListedObject>;
  return typeof name === 'string' && typeof bytes === 'number';
}

export async function* listSwift(
  connection: SwiftConnection,
  container: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<SwiftListedObject> {
  const pages = new ListingPages(connection.host, prefix);
  for (let marker = ''; ;) {
    const query = { format: 'json', limit: String(PAGE_SIZE), prefix, marker };
    const response = await connection.send({ method: 'GET', container, query, signal });
    if (response.status === 204) return;
    if (response.status === 404) throw noSuchContainer(connection, container);
    if (!isSuccess(response.status)) throw swiftError(response, connection.host);
    const page = parseJson<readonly unknown[]>(response.body, connection.host);
    if (!Array.isArray(page) || !page.every(isListedObject)) {
      throw new BackendError(`${connection.host} answered a listing with something else`, { temporary: true });
    }
    const last = page.at(-1)?.name;
    yield* pages.next(page, last);
    if (last === undefined) return;
    marker = last;
  }
}
