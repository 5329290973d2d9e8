/**
 * HTTP and HTTPS servers of the tests, on loopback. A server hands each request, body read, to its handler; faults come first. It keeps a
 * record of all requests, so that tests can see what was sent.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestCertificate } from './test-certificates.ts';

export interface ServedRequest {
  readonly method: string;
  /** As it came: path and query, or the whole URL from clients of a proxy. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it came. */
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly secure: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export type Handler = (request: ServedRequest) => Answer | Promise<Answer>;

/** What goes wrong instead of an answer, or with one. */
export type Fault =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** No answer at all; the connection stays. */
  | { readonly kind: 'hang' }
  /** The connection ends before an answer. */
  | { readonly kind: 'reset' }
  /** The request is worked on, but the connection ends before the client hears of it. */
  | { readonly kind: 'lose-answer' }
  /** The answer's body ends early, in spite of Content-Length. */
  | { readonly kind: 'truncate' }
  /** The first half of the body, then silence. */
  | { readonly kind: 'stall' }
  /** A byte of the body is another one. */
  | { readonly kind: 'corrupt' }
  /** The test is told of the request before or after it is worked on, and all goes well. */
  | { readonly kind: 'tell'; readonly before?: () => void; readonly after?: () => void }
  /** The answer's body ends early, and nothing says how long it should be. */
  | { readonly kind: 'truncate-unannounced' }
  /** A line of the answer's head, or its body, without an end. */
  | { readonly kind: 'endless-head' | 'endless-body' }
  /** The answer says that its body has ten gigabytes, and begins with it. */
  | { readonly kind: 'announce-too-much' };

export interface PlannedFault {
  /** Matched against `METHOD target`. */
  readonly on: RegExp;
  readonly fault: Fault;
  /** How many requests it hits; default 1. */
  readonly times?: number;
  /** How many requests that match get through before; default none. */
  readonly after?: number;
}

export class LoopbackServer implements AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly port: number;
  /** All requests since the start, or since a test emptied it. */
  readonly requests: ServedRequest[] = [];
  readonly #server: Server;
  readonly #faults: { readonly on: RegExp; readonly fault: Fault; left: number; after: number }[] = [];

  private constructor(server: Server, secure: boolean) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.origin = `${secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  static async start(handler: Handler, certificate?: TestCertificate): Promise<LoopbackServer> {
    let started: LoopbackServer | undefined;
    const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
      void started?.serve(incoming, response, handler, certificate !== undefined);
    };
    const server =
      certificate === undefined ? createServer(listener) : createTlsServer({ key: certificate.key, cert: certificate.cert }, listener);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Its usual five seconds end connections just when busy clients send a request over them.
    server.keepAliveTimeout = 0;
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    started = new LoopbackServer(server, certificate !== undefined);
    return started;
  }

  plan({ on, fault, times = 1, after = 0 }: PlannedFault): void {
    this.#faults.push({ on, fault, left: times, after });
  }

  /** Faults that no request has met. */
  get faultsLeft(): number {
    return this.#faults.reduce((sum, { left }) => sum + left, 0);
  }

  /** Forgets requests and faults. */
  reset(): void {
    this.requests.length = 0;
    this.#faults.length = 0;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse, handler: Handler, secure: boolean): Promise<void> {
    try {
      const body = await readBody(incoming);
      const target = incoming.url ?? '/';
      const question = target.indexOf('?');
      const rawQuery = question === -1 ? '' : target.slice(question + 1);
      const request: ServedRequest = {
        method: incoming.method ?? 'GET',
        target,
        path: question === -1 ? target : target.slice(0, question),
        query: new URLSearchParams(rawQuery),
        rawQuery,
        headers: incoming.headers,
        body,
        secure,
      };
      this.requests.push(request);
      const fault = this.#takeFault(`${request.method} ${target}`);
      if (fault?.kind === 'hang') return;
      if (fault?.kind === 'reset') {
        incoming.socket.destroy();
        return;
      }
      if (fault?.kind === 'tell') fault.before?.();
      if (fault?.kind === 'endless-head' || fault?.kind === 'endless-body' || fault?.kind === 'announce-too-much') {
        sendWithoutEnd(incoming.socket, fault.kind);
        return;
      }
      const answer = fault?.kind === 'answer' ? fault.answer : await handler(request);
      if (fault?.kind === 'tell') fault.after?.();
      if (fault?.kind === 'lose-answer') incoming.socket.destroy();
      else send(response, request.method, answer, fault);
    } catch (error) {
      if (!response.headersSent && !response.destroyed) response.writeHead(500).end(`test server: ${String(error)}`);
      else incoming.socket.destroy();
    }
  }

  #takeFault(line: string): Fault | undefined {
    const planned = this.#faults.find(({ on, left }) => left > 0 && on.test(line));
    if (planned === undefined) return undefined;
    if (planned.after > 0) {
      planned.after -= 1;
      return undefined;
    }
    planned.left -= 1;
    return planned.fault;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

const ENDLESS_PIECE = Buffer.alloc(64 * 1024, 'x');

/** As long as somebody listens. */
function sendWithoutEnd(socket: Socket, kind: 'endless-head' | 'endless-body' | 'announce-too-much'): void {
  const head = { 'endless-head': 'X-Long: ', 'endless-body': '\r\n', 'announce-too-much': `Content-Length: ${10 * 1024 ** 3}\r\n\r\n` };
  socket.write(`HTTP/1.1 200 OK\r\n${head[kind]}`);
  const more = (): void => {
    while (socket.writable && socket.write(ENDLESS_PIECE));
  };
  socket.on('drain', more);
  more();
}

function send(response: ServerResponse, method: string, { status, headers = {}, body = '' }: Answer, fault: Fault | undefined): void {
  const bytes = Buffer.from(body as string);
  const noContent = status === 204 || status === 304;
  response.writeHead(status, {
    date: new Date().toUTCString(),
    ...(noContent || fault?.kind === 'truncate-unannounced' ? {} : { 'content-length': String(bytes.byteLength) }),
    ...Object.fromEntries(
      Object.entries(headers).filter(([name]) => fault?.kind !== 'truncate-unannounced' || name.toLowerCase() !== 'content-length'),
    ),
  });
  const middle = bytes.byteLength >> 1;
  if (fault?.kind === 'corrupt' && bytes.byteLength > 0) bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  const half = bytes.subarray(0, middle);
  if (method === 'HEAD' || noContent) response.end();
  else if (fault?.kind === 'truncate-unannounced') response.end(half);
  else if (fault?.kind === 'truncate') response.write(half, () => response.destroy());
  else if (fault?.kind === 'stall') response.write(half);
  else response.end(bytes);
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
