/**
 * Signed requests to one bucket: address style, redirects to where a new bucket lives for now, renewal of expired credentials. Knows HTTP and
 * errors; what the requests are for is s3-backend.ts's.
 */
import { AuthenticationError, BackendError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { encodeComponent, encodePath, encodeQuery } from '../http/percent-encoding.ts';
import type { CredentialSource } from './credentials.ts';
import { isExpiredCode, s3Error, s3ErrorCode, type S3ErrorContext } from './s3-errors.ts';
import type { S3Location } from './s3-location.ts';
import type { RequestSigner } from './signer.ts';

const MAX_REDIRECTS = 3;

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without the prefix; undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

export interface S3ConnectionOptions {
  readonly location: S3Location;
  readonly http: HttpClient;
  readonly credentials: CredentialSource;
  readonly signer: RequestSigner;
  /** How the user names another region. */
  readonly regionCure: (region: string) => string;
}

export class S3Connection {
  readonly location: S3Location;
  readonly #http: HttpClient;
  readonly #credentials: CredentialSource;
  readonly #signer: RequestSigner;
  readonly #regionCure: (region: string) => string;

  constructor(options: S3ConnectionOptions) {
    this.location = options.location;
    this.#http = options.http;
    this.#credentials = options.credentials;
    this.#signer = options.signer;
    this.#regionCure = options.regionCure;
  }

  /** The answer, if it is one of success. @throws BackendError as s3-errors.ts tells */
  async request(request: S3Request): Promise<HttpResponse> {
    const response = await this.send(request);
    if (isSuccess(response.status)) return response;
    throw await this.error(request, response);
  }

  /** The answer, whatever it is. */
  async send(request: S3Request): Promise<HttpResponse> {
    let { origin } = this.location;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#sendTo(origin, request);
      const target = redirectTarget(response);
      if (target === undefined || redirects === MAX_REDIRECTS) return response;
      if (new URL(target).protocol !== new URL(origin).protocol)
        throw new BackendError(`${new URL(origin).host} redirects from TLS to plain HTTP or back`);
      origin = target;
    }
  }

  /** The error for an answer without success. Answers to HEAD don't say why: the same as GET does. */
  async error(request: S3Request, response: HttpResponse): Promise<BackendError> {
    if (request.method === 'HEAD') {
      const explained = await this.send({ ...request, method: 'GET', headers: { ...request.headers, range: 'bytes=0-0' } });
      if (!isSuccess(explained.status)) return this.error({ ...request, method: 'GET' }, explained);
    }
    const error = s3Error(response, this.errorContext(request.key));
    if (!isExpiredCode(s3ErrorCode(response)) || !(await this.#credentials.refresh())) return error;
    return new AuthenticationError(error.message, { cause: error, temporary: true });
  }

  errorContext(key: string | undefined): S3ErrorContext {
    const { origin, bucket } = this.location;
    return { host: new URL(origin).host, bucket, key, regionCure: this.#regionCure };
  }

  async #sendTo(origin: string, request: S3Request): Promise<HttpResponse> {
    const { bucket, prefix, virtualHost } = this.location;
    const { method, key, query = {}, body, signal } = request;
    const path = (virtualHost ? '/' : `/${encodeComponent(bucket)}/`) + (key === undefined ? '' : encodePath(prefix + key));
    const queryText = encodeQuery(query);
    const headers = await this.#signer.sign({ method, host: new URL(origin).host, path, query, headers: request.headers ?? {}, body });
    return this.#http.request({
      method,
      origin,
      path: queryText === '' ? path : `${path}?${queryText}`,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }
}

/** The origin that a temporary redirect names. Permanent ones say that the region is wrong: the user has to know. */
function redirectTarget(response: HttpResponse): string | undefined {
  const location = response.status === 307 ? response.headers['location'] : undefined;
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : undefined;
}
