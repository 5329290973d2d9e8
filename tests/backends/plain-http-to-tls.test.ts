/** Servers that want TLS and get plain HTTP: some hang up, some say 400, some send a TLS alert. All are recognised. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpClient } from '../../src/backends/http/http-client.ts';
import { LoopbackServer } from '../support/servers/loopback-server.ts';
import { TestAuthority, type TestCertificate } from '../support/servers/test-certificates.ts';

const TLS_HANDSHAKE = 0x16;

let authority: TestAuthority;
let certificate: TestCertificate;
let http: HttpClient;

beforeAll(() => {
  authority = new TestAuthority();
  certificate = authority.certificateFor(['127.0.0.1']);
  http = new HttpClient({ maxConnections: 1, timeoutMs: 5000, environment: {} });
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

/** A server that speaks TLS to who begins so, and gives anybody else this. */
async function startServer(reply: Buffer): Promise<AsyncDisposable & { readonly origin: string }> {
  const secure = createTlsServer({ key: certificate.key, cert: certificate.cert }, (socket) => socket.end());
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      if (first[0] !== TLS_HANDSHAKE) return socket.end(reply);
      socket.pause();
      socket.unshift(first);
      return secure.emit('connection', socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void (await once(server.close(), 'close')),
  };
}

const get = (origin: string): ReturnType<HttpClient['request']> => http.request({ method: 'GET', origin, path: '/' });

test.for([
  ['nothing', Buffer.alloc(0)],
  ['HTTP status 400', Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
  ['an alert of TLS', Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a])],
] as const)('a server that answers with %s', async ([, reply]) => {
  await using server = await startServer(reply);
  await expect(get(server.origin)).rejects.toMatchObject({
    name: 'MisconfigurationError',
    message: expect.stringContaining('expects TLS') as string,
  });
});

test('a server without TLS may answer 400, or hang up, without being taken for one', async () => {
  await using server = await LoopbackServer.start(() => ({ status: 400 }));
  expect((await get(server.origin)).status).toBe(400);
  server.plan({ on: /./, fault: { kind: 'reset' } });
  await expect(get(server.origin)).rejects.toMatchObject({ name: 'BackendError', temporary: true });
});
