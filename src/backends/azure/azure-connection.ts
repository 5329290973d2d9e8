/** Authorized requests to one container of Azure Blob Storage. */
import { totalBytes } from '../../util/total-bytes.ts';
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { encodePath, encodeQuery } from '../http/percent-encoding.ts';
import type { AzureAuthorizer } from './authorizer.ts';
import { azureError, azureErrorCode } from './azure-errors.ts';
import type { AzureEndpoint, AzureLocation } from './azure-location.ts';

/** Of the service's interface: https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services */
const API_VERSION = '2021-12-02';

export interface AzureRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without the prefix; undefined: the container. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

/** A request as it would be sent. */
interface AuthorizedRequest {
  /** With its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

export class AzureConnection {
  readonly location: AzureLocation;
  readonly #endpoint: AzureEndpoint;
  readonly #http: HttpClient;
  readonly #authorizer: AzureAuthorizer;

  constructor(location: AzureLocation, endpoint: AzureEndpoint, http: HttpClient, authorizer: AzureAuthorizer) {
    this.location = location;
    this.#endpoint = endpoint;
    this.#http = http;
    this.#authorizer = authorizer;
  }

  get host(): string {
    return new URL(this.#endpoint.origin).host;
  }

  /** Bodies can be changed on their way. */
  get plain(): boolean {
    return this.#endpoint.origin.startsWith('http:');
  }

  /** The answer, if it is one of success. @throws BackendError as azure-errors.ts tells */
  async request(request: AzureRequest): Promise<HttpResponse> {
    const response = await this.send(request);
    if (isSuccess(response.status)) return response;
    throw this.error(response);
  }

  /** The answer, whatever it is; a refusal of the credentials only of fresh ones. */
  async send(request: AzureRequest): Promise<HttpResponse> {
    const { method, body, signal } = request;
    signal?.throwIfAborted();
    for (let renewed = false; ; renewed = true) {
      const { target, headers, authorization } = await this.#authorized(request, { 'x-ms-version': API_VERSION });
      const { origin } = this.#endpoint;
      const response = await this.#http.request({
        method,
        origin,
        path: target,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      if (!isRefusal(response) || renewed || !this.#authorizer.renew(authorization)) return response;
    }
  }

  /** A request that travels within a batch: the version is the batch's. */
  async authorizedPart(request: AzureRequest): Promise<AuthorizedRequest> {
    return this.#authorized(request, {});
  }

  /** The URL of a blob as the source of a copy: with what permits to read it. */
  async sourceUrl(key: string): Promise<string> {
    const { query } = (await this.#authorized({ method: 'GET', key }, {})).authorization;
    return `${this.#endpoint.origin}${this.#path(key)}${query === '' ? '' : `?${query}`}`;
  }

  error(response: HttpResponse): Error {
    return azureError(response, this.host, this.location);
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  #path(key: string | undefined): string {
    const { container, prefix } = this.location;
    return encodePath(`${this.#endpoint.path}/${container}${key === undefined ? '' : `/${prefix}${key}`}`);
  }

  async #authorized(
    { method, key, query: ownQuery = {}, headers: ownHeaders = {}, body }: AzureRequest,
    more: Readonly<Record<string, string>>,
  ): Promise<AuthorizedRequest & { readonly authorization: Awaited<ReturnType<AzureAuthorizer['authorize']>> }> {
    const path = this.#path(key);
    const query = key === undefined ? { restype: 'container', ...ownQuery } : ownQuery;
    const headers = { ...ownHeaders, ...more, 'x-ms-date': new Date().toUTCString() };
    const bodyBytes = body === undefined ? 0 : totalBytes(body);
    const authorization = await this.#authorizer.authorize({ method, path, query, headers, bodyBytes });
    const queryText = [encodeQuery(query), authorization.query].filter(Boolean).join('&');
    return {
      target: queryText === '' ? path : `${path}?${queryText}`,
      headers: { ...headers, ...authorization.headers },
      authorization,
    };
  }
}

/** An expired token is one or the other. */
function isRefusal(response: HttpResponse): boolean {
  return response.status === 401 || (response.status === 403 && azureErrorCode(response) === 'AuthenticationFailed');
}
