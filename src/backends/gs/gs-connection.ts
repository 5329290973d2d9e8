/** Requests to Google Cloud Storage's JSON interface, with an access token that is renewed when it is refused. */
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { encodeQuery } from '../http/percent-encoding.ts';
import type { AccessTokens } from './access-tokens.ts';

const ORIGIN = 'https://storage.googleapis.com';

export interface GsRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

export class GsConnection {
  readonly #http: HttpClient;
  readonly #tokens: AccessTokens;

  constructor(http: HttpClient, tokens: AccessTokens) {
    this.#http = http;
    this.#tokens = tokens;
  }

  /** The answer, whatever it is; a 401 only with a fresh token. */
  async send(request: GsRequest): Promise<HttpResponse> {
    const token = await this.#tokens.get();
    const response = await this.#sendWith(token, request);
    if (response.status !== 401) return response;
    // Another request may have renewed it meanwhile.
    if ((await this.#tokens.get()) === token) this.#tokens.discard();
    return this.#sendWith(await this.#tokens.get(), request);
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  #sendWith(token: string, { method, path, query = {}, headers, body, signal }: GsRequest): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const queryText = encodeQuery(query);
    return this.#http.request({
      method,
      origin: ORIGIN,
      path: queryText === '' ? path : `${path}?${queryText}`,
      headers: { ...headers, authorization: `Bearer ${token}` },
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }
}
