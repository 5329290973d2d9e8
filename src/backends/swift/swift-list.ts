/** Listing a Swift container, as JSON and page by page. */
import { BackendError } from '../errors.ts';
import { isSuccess } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import { noSuchContainer } from './swift-container.ts';
import type { SwiftConnection } from './swift-connection.ts';
import { swiftError } from './swift-errors.ts';

const PAGE_SIZE = 1000;

export interface SwiftListedObject {
  readonly name: string;
  readonly bytes: number;
}

export async function* listSwift(
  connection: SwiftConnection,
  container: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<SwiftListedObject> {
  for (let marker = ''; ;) {
    const query = { format: 'json', limit: String(PAGE_SIZE), prefix, marker };
    const response = await connection.send({ method: 'GET', container, query, signal });
    if (response.status === 204) return;
    if (response.status === 404) throw noSuchContainer(connection, container);
    if (!isSuccess(response.status)) throw swiftError(response, connection.host);
    const page = parseJson<readonly SwiftListedObject[]>(response.body, connection.host);
    const last = Array.isArray(page) ? page.at(-1)?.name : undefined;
    if (!Array.isArray(page) || (page.length > 0 && typeof last !== 'string')) {
      throw new BackendError(`${connection.host} answered a listing with something else`, { temporary: true });
    }
    yield* page;
    if (last === undefined) return;
    marker = last;
  }
}
