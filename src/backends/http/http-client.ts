/**
 * The one HTTP client of all stores: connection pool, proxies, TLS, time-outs, and failures as BackendErrors. It neither retries nor
 * follows redirects nor looks at the status: the retry decorator and the stores do.
 */
import type { Readable } from 'node:stream';
import { Agent, EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import { totalBytes } from '../../util/total-bytes.ts';
import type { Bandwidth } from '../bandwidth/bandwidth.ts';
import { BackendError, MisconfigurationError } from '../errors.ts';
import { isNoAnswer, networkError, type NameLookup } from './network-errors.ts';
import { pacedBody, readPaced, SilenceWatch } from './paced-transfer.ts';
import { proxySettings } from './proxy-settings.ts';
import { retryAfterMs } from './retry-after.ts';
import { speaksTls } from './speaks-tls.ts';
import { tlsContext } from './trusted-certificates.ts';

/** More than any object that makes sense; a server cannot exhaust our memory. */
const MAX_RESPONSE_BYTES = 1024 ** 3;
/**
 * A body goes out in pieces of this size; each piece that the connection takes restarts the time-out, so that a slow uplink is no hanging
 * server.
 */
const SEND_CHUNK_BYTES = 64 * 1024;

export interface HttpClientOptions {
  /** Connections per server; further requests wait. */
  readonly maxConnections: number;
  /** The longest silence: while connecting, before the answer begins, within it. */
  readonly timeoutMs: number;
  /** File or directory of certificate authorities to trust instead of the system's. */
  readonly caPath?: string | undefined;
  /** What bodies keep to, in both directions. Default: no limits. */
  readonly bandwidth?: Bandwidth | undefined;
  /** Proxies and SSL_CERT_FILE. Default: process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For tests. */
  readonly resolve?: NameLookup;
}

export interface HttpRequest {
  readonly method: string;
  /** `https://host[:port]` */
  readonly origin: string;
  /** Path and query, percent-encoded; sent as they stand. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** What Retry-After says. */
  readonly retryAfterMs: number | undefined;
}

export class HttpClient implements AsyncDisposable {
  readonly #plain: Dispatcher;
  readonly #secure: Dispatcher;
  readonly #resolve: NameLookup | undefined;
  readonly #bandwidth: Bandwidth | undefined;
  readonly #timeoutMs: number;
  /** Servers that have answered as HTTP servers do. */
  readonly #answered = new Set<string>();

  /** @throws UserError: exit code 13 for a bad proxy variable, 2 for unreadable certificates */
  constructor(options: HttpClientOptions) {
    const environment = options.environment ?? process.env;
    const proxies = proxySettings(environment);
    const tls = { secureContext: tlsContext(options.caPath, environment) };
    const agentOptions = {
      connections: options.maxConnections,
      pipelining: 1,
      maxResponseSize: MAX_RESPONSE_BYTES,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      connectTimeout: options.timeoutMs,
      connect: { timeout: options.timeoutMs, ...tls },
    };
    const dispatcher = (proxy: string | undefined): Dispatcher =>
      proxy === undefined
        ? new Agent(agentOptions)
        : new EnvHttpProxyAgent({
            ...agentOptions,
            // Without this, connections for plain forwarding would have neither limits nor time-outs.
            factory: (origin, pool: Pool.Options) => new Pool(origin, { ...agentOptions, ...pool }),
            requestTls: tls,
            proxyTls: tls,
            httpProxy: proxy,
            httpsProxy: proxy,
            // Empty, not undefined: the environment was read already.
            noProxy: proxies.noProxy ?? '',
          });
    this.#plain = dispatcher(proxies.httpProxy);
    this.#secure = dispatcher(proxies.httpsProxy);
    this.#resolve = options.resolve;
    this.#bandwidth = options.bandwidth;
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * One request, one answer of any status.
   * @throws BackendError (temporary), HostNotFoundError, MisconfigurationError; the signal's reason when aborted
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const { method, origin, path, signal } = request;
    signal?.throwIfAborted();
    const bodyBytes = request.body && totalBytes(request.body);
    using silence = new SilenceWatch(this.#timeoutMs);
    try {
      const dispatcher = origin.startsWith('https:') ? this.#secure : this.#plain;
      const response = await dispatcher.request({
        method,
        origin,
        path,
        headers: { ...request.headers, ...(bodyBytes === undefined ? {} : { 'content-length': String(bodyBytes) }) },
        ...(request.body === undefined || bodyBytes === 0
          ? { body: null, signal: signal ?? null }
          : this.#sending(request.body, silence, signal)),
      });
      silence.stop();
      // What servers that expect TLS answer to who comes without, if they answer.
      if (response.statusCode === 400) await this.#expectNoTls(origin);
      this.#answered.add(origin);
      const headers = joined(response.headers);
      const body = await this.#received(response.body, signal);
      return {
        status: response.statusCode,
        headers,
        body,
        retryAfterMs: retryAfterMs(headers['retry-after']),
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BackendError) throw error;
      if (isNoAnswer(error)) await this.#expectNoTls(origin);
      throw await networkError(error, origin, this.#resolve);
    }
  }

  /** To be called when a server never answered well to plain HTTP. @throws MisconfigurationError if it wants TLS */
  async #expectNoTls(origin: string): Promise<void> {
    if (!origin.startsWith('http:') || this.#answered.has(origin) || !(await speaksTls(origin))) return;
    throw new MisconfigurationError(`${new URL(origin).host} expects TLS; remove the backend option no-ssl (or write https: for http:)`, {
      temporary: true,
    });
  }

  /** What undici is to do with a body. */
  #sending(
    parts: readonly Uint8Array[],
    silence: SilenceWatch,
    signal: AbortSignal | undefined,
  ): Partial<Pick<Dispatcher.RequestOptions, 'body' | 'signal' | 'headersTimeout'>> {
    const upload = this.#bandwidth?.upload;
    if (upload?.limited !== true) return { body: sendable(parts), signal: signal ?? null };
    const either = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    // undici takes any iterable; its types do not say so.
    const body = pacedBody(parts, upload, silence, either) as AsyncIterable<Uint8Array> as unknown as Readable;
    return { body, signal: either, headersTimeout: 0 };
  }

  async #received(body: Dispatcher.ResponseData['body'], signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const download = this.#bandwidth?.download;
    return download?.limited === true ? readPaced(body, download, signal) : ((await body.bytes()) as Uint8Array<ArrayBuffer>);
  }

  /** Ends all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#plain.destroy(), this.#secure.destroy()]);
  }
}

/** A small body as one piece, a large one piece by piece. */
function sendable(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && only.byteLength <= SEND_CHUNK_BYTES) return only;
  // undici takes any iterable; its types do not say so.
  return chunks(parts) as Iterable<Uint8Array> as Uint8Array;
}

function* chunks(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += SEND_CHUNK_BYTES) yield part.subarray(at, at + SEND_CHUNK_BYTES);
  }
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
