/**
 * An HTTP proxy on loopback (CONNECT and plain forwarding) that leads every host name to a local port of the test's choice: stores at
 * well-known names can be tested with their own names, certificates and URLs, without any network.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ForwardProxyOptions {
  /** The local port for `host:port`; undefined: the proxy says 502. */
  readonly route: (host: string, port: number) => number | undefined;
  /** `user:password` that clients must present. */
  readonly credentials?: string;
}

export class ForwardProxy implements AsyncDisposable {
  readonly port: number;
  /** `METHOD host:port` of all requests. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();

  private constructor(server: Server, { route, credentials }: ForwardProxyOptions) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    const admitted = (request: IncomingMessage): boolean => expected === undefined || request.headers['proxy-authorization'] === expected;
    server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
      const { host, port } = hostAndPort(`http://${request.url ?? ''}`, 443);
      this.requests.push(`CONNECT ${host}:${port}`);
      const target = route(host, port);
      if (!admitted(request)) client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      else if (target === undefined) client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
      else this.#tunnel(client, target, head);
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { host, port } = hostAndPort(request.url ?? '', 80);
      this.requests.push(`${request.method} ${host}:${port}`);
      const target = route(host, port);
      if (!admitted(request)) response.writeHead(407).end();
      else if (target === undefined) response.writeHead(502).end();
      else forward(request, response, target);
    });
  }

  static async start(options: ForwardProxyOptions): Promise<ForwardProxy> {
    const server = createServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return new ForwardProxy(server, options);
  }

  #tunnel(client: Duplex, target: number, head: Buffer): void {
    const upstream: Socket = connect(target, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    for (const [end, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#tunnels.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#tunnels.delete(end);
        other.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const tunnel of this.#tunnels) tunnel.destroy();
    this.#server.closeAllConnections();
    await promise;
  }
}

function forward(request: IncomingMessage, response: ServerResponse, port: number): void {
  const url = new URL(request.url ?? '');
  const path = (request.url ?? '').slice(url.origin.length) || '/';
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith('proxy-')));
  const upstream = httpRequest({ host: '127.0.0.1', port, method: request.method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}

function hostAndPort(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: port === '' ? defaultPort : Number(port) };
}
