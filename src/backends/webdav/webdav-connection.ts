/** Requests to a WebDAV server (RFC 4918), with the login it asks for. */
import { setTimeout } from 'node:timers/promises';
import { BackendError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { expectXml } from '../http/xml.ts';
import type { HttpLogin } from './http-login.ts';
import { multistatusEntries, type WebdavEntry } from './multistatus.ts';
import { webdavError } from './webdav-errors.ts';

const PROPERTIES = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>',
);
const MAX_LOGIN_ATTEMPTS = 3;
/** MOVE and COPY may say nothing else of success; HTTP 207 tells of failures, and 200 is the word of somebody else. */
const TRANSFERRED: ReadonlySet<number> = new Set([201, 204]);
/** Some servers lock a resource as long as a request for it lasts, and refuse the next one. */
const LOCKED = 423;
const LOCKED_PAUSES_MS = [10, 20, 50, 100, 200, 500];

export interface WebdavRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'MOVE' | 'COPY' | 'MKCOL' | 'PROPFIND';
  /** Percent-encoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

/** Whether a MOVE or COPY has succeeded. */
export function isTransferred({ status }: HttpResponse): boolean {
  return TRANSFERRED.has(status);
}

export class WebdavConnection {
  readonly origin: string;
  readonly #http: HttpClient;
  readonly #login: HttpLogin | undefined;

  constructor(origin: string, http: HttpClient, login: HttpLogin | undefined) {
    this.origin = origin;
    this.#http = http;
    this.#login = login;
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  /** The answer, whatever it is; a 401 only if the login is wrong. */
  async send(request: WebdavRequest): Promise<HttpResponse> {
    for (const pauseMs of LOCKED_PAUSES_MS) {
      const response = await this.#sendLoggedIn(request);
      if (response.status !== LOCKED) return response;
      await setTimeout(pauseMs);
    }
    return this.#sendLoggedIn(request);
  }

  /** Moves or copies a resource. @returns the status: 412 if the target exists and must not be replaced */
  async transfer(
    method: 'MOVE' | 'COPY',
    from: string,
    to: string,
    options: { readonly overwrite: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<HttpResponse> {
    const headers = { destination: this.origin + to, overwrite: options.overwrite ? 'T' : 'F' };
    return this.send({ method, path: from, headers, signal: options.signal });
  }

  /** The members of a collection; undefined if there is none. @param path with a slash at the end. @throws BackendError */
  async readCollection(path: string, signal?: AbortSignal): Promise<WebdavEntry[] | undefined> {
    const { entries } = (await this.#properties(path, '1', signal)) ?? {};
    return entries;
  }

  /** What is at a path; undefined for nothing. @throws BackendError */
  async look(path: string, signal?: AbortSignal): Promise<WebdavEntry | undefined> {
    return (await this.#properties(path, '0', signal))?.self;
  }

  error(response: HttpResponse): BackendError {
    return webdavError(response, this.host);
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  async #sendLoggedIn({ method, path, headers, body, signal }: WebdavRequest): Promise<HttpResponse> {
    signal?.throwIfAborted();
    for (let attempt = 1; ; attempt += 1) {
      const authorization = this.#login?.authorization(method, path);
      const response = await this.#http.request({
        method,
        origin: this.origin,
        path,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        signal,
        ...(body === undefined ? {} : { body }),
      });
      if (response.status !== 401 || attempt === MAX_LOGIN_ATTEMPTS) return response;
      if (this.#login?.challenged(response.headers['www-authenticate'] ?? '', authorization) !== true) return response;
    }
  }

  async #properties(
    path: string,
    depth: '0' | '1',
    signal: AbortSignal | undefined,
  ): Promise<ReturnType<typeof multistatusEntries> | undefined> {
    const headers = { depth, 'content-type': 'application/xml; charset=utf-8' };
    const response = await this.send({ method: 'PROPFIND', path, headers, body: [PROPERTIES], signal });
    if (response.status === 404) return undefined;
    if (response.status !== 207) {
      throw isSuccess(response.status) ? new BackendError(`${this.host} does not answer as a WebDAV server`) : this.error(response);
    }
    return multistatusEntries(expectXml(response.body, 'multistatus', this.host), this.host);
  }
}
