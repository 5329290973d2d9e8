/**
 * Requests to one Swift account: carries the token, logs in again when it has expired. However many requests find it expired, one logs in.
 */
import { BackendError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { encodeComponent, encodePath, encodeQuery } from '../http/percent-encoding.ts';
import type { SwiftLogin, SwiftSession } from './swift-session.ts';

export interface SwiftRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Undefined: the account. */
  readonly container?: string;
  /** With prefix. Undefined: the container. */
  readonly object?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

export class SwiftConnection {
  readonly #http: HttpClient;
  readonly #login: SwiftLogin;
  #session: SwiftSession;
  #loggingIn: Promise<SwiftSession> | undefined;

  private constructor(http: HttpClient, login: SwiftLogin, session: SwiftSession) {
    this.#http = http;
    this.#login = login;
    this.#session = session;
  }

  /** Logs in. The client passes into the connection's ownership once it is open. */
  static async open(http: HttpClient, login: SwiftLogin): Promise<SwiftConnection> {
    return new SwiftConnection(http, login, await login());
  }

  /** Host of the object store; may be another one than that of the login. */
  get host(): string {
    return new URL(this.#session.origin).host;
  }

  /** Bodies can be changed on their way. */
  get plain(): boolean {
    return this.#session.origin.startsWith('http:');
  }

  /** The answer, whatever it is; a 401 only after a fresh login. */
  async send(request: SwiftRequest): Promise<HttpResponse> {
    const session = this.#session;
    const response = await this.#sendIn(session, request);
    if (response.status !== 401) return response;
    return this.#sendIn(await this.#renew(session), request);
  }

  /** The store's description of itself, which needs no token. */
  info(): Promise<HttpResponse> {
    return this.#http.request({ method: 'GET', origin: this.#session.origin, path: '/info' });
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  #sendIn({ origin, accountPath, token }: SwiftSession, request: SwiftRequest): Promise<HttpResponse> {
    const { method, container, object, query = {}, headers, body, signal } = request;
    const queryText = encodeQuery(query);
    const path =
      accountPath +
      (container === undefined ? '' : `/${encodeComponent(container)}`) +
      (object === undefined ? '' : `/${encodePath(object)}`);
    return this.#http.request({
      method,
      origin,
      path: queryText === '' ? path : `${path}?${queryText}`,
      headers: { ...headers, 'x-auth-token': token },
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  /** The session that replaces an expired one. */
  async #renew(expired: SwiftSession): Promise<SwiftSession> {
    if (this.#session !== expired) return this.#session;
    this.#loggingIn ??= this.#logInAgain();
    return this.#loggingIn;
  }

  async #logInAgain(): Promise<SwiftSession> {
    try {
      this.#session = await this.#login();
      return this.#session;
    } catch (error) {
      // What was accepted once is not wrong now: the identity service may be in trouble, or the project out of funds for an hour.
      if (!(error instanceof BackendError) || error.temporary) throw error;
      throw new BackendError(`cannot log in again: ${error.message}`, { cause: error, temporary: true });
    } finally {
      this.#loggingIn = undefined;
    }
  }
}
