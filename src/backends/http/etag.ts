/** ETags tell the store's own answers from those of others. */
import { BackendError } from '../errors.ts';
import type { HttpResponse } from './http-client.ts';

/**
 * For answers of success about an object, which has an ETag at every store that calls this. A page of a proxy or portal in between has none:
 * without a look at that, it would be taken for a damaged object, or for the word that one is stored.
 * @throws BackendError (temporary)
 */
export function expectEtag({ headers }: HttpResponse, host: string): void {
  if (headers['etag'] === undefined) throw new BackendError(`something else than the store answered for ${host}`, { temporary: true });
}
