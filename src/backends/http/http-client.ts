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
import { expectWholeRange } from './ranges.ts';
import { retryAfterMs } from './retry-after.ts';
import { speaksTls } from './speaks-tls.ts';
import { tlsContext } from './trusted-certificates.ts';

/** More than any object that makes sense. */
const MAX_RESPONSE_BYTES = 1024 ** 3;
/** Objects come with their length; what comes without is a listing or the like. A server cannot exhaust our memory by never ending. */
const MAX_BYTES_WITHOUT_LENGTH = 64 * 1024 ** 2;
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
      const { statusCode: status } = response;
      const headers = joined(response.headers);
      const body = await this.#received(method, origin, response, signal);
      // What servers that expect TLS answer to who comes without, if they answer.
      if (status === 400) await this.#expectNoTls(origin);
      if (isRedirectToTls(status, headers['location'], origin)) throw tlsWanted(origin);
      this.#answered.add(origin);
      expectWholeRange(request.headers?.['range'], { status, headers, body });
      return { status, headers, body, retryAfterMs: retryAfterMs(headers['retry-after']) };
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
    throw tlsWanted(origin);
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

  /** @throws BackendError (final) if it is more than any answer that makes sense */
  async #received(
    method: string,
    origin: string,
    { headers, body }: Dispatcher.ResponseData,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const lengthBytes = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
    if (method !== 'HEAD' && lengthBytes !== undefined && lengthBytes > MAX_RESPONSE_BYTES) {
      body.destroy();
      throw tooLarge(origin);
    }
    const download = this.#bandwidth?.download;
    const pieces = lengthBytes === undefined ? bounded(body, origin) : body;
    if (download?.limited === true) return readPaced(pieces, download, signal);
    if (lengthBytes !== undefined) return (await body.bytes()) as Uint8Array<ArrayBuffer>;
    return Buffer.concat(await Array.fromAsync(pieces));
  }

  /** Ends all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#plain.destroy(), this.#secure.destroy()]);
  }
}

/** Leaving it early ends the connection. */
async function* bounded(body: AsyncIterable<Uint8Array>, origin: string): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  for await (const piece of body) {
    receivedBytes += piece.byteLength;
    if (receivedBytes > MAX_BYTES_WITHOUT_LENGTH) throw tooLarge(origin);
    yield piece;
  }
}

function tooLarge(origin: string): BackendError {
  return new BackendError(`${new URL(origin).host} answers with more than any object can be`);
}

function tlsWanted(origin: string): MisconfigurationError {
  return new MisconfigurationError(`${new URL(origin).host} expects TLS; remove the backend option no-ssl (or write https: for http:)`, {
    temporary: true,
  });
}

/** What other servers that expect TLS answer: the same place, with https. */
function isRedirectToTls(status: number, location: string | undefined, origin: string): boolean {
  if (!origin.startsWith('http:') || status < 300 || status > 399 || location === undefined || !URL.canParse(location)) return false;
  const { protocol, hostname } = new URL(location);
  return protocol === 'https:' && hostname === new URL(origin).hostname;
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
