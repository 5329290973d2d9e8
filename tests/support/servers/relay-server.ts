/** A server in front of another one, so that faults can be planned for a server that is not ours. Host headers pass through unchanged. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { LoopbackServer, type Answer, type ServedRequest } from './loopback-server.ts';

/** @param port of the server behind, on loopback */
export function startRelay(port: number): Promise<LoopbackServer> {
  return LoopbackServer.start((request) => relayed(request, port));
}

async function relayed(request: ServedRequest, port: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { ...request.headers, connection: 'close' };
  httpRequest({ host: '127.0.0.1', port, method: request.method, path: request.target, headers }, resolve)
    .on('error', reject)
    .end(request.body);
  const incoming = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const passed = Object.entries(incoming.headers).filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name));
  return { status: incoming.statusCode ?? 502, headers: Object.fromEntries(passed) as Record<string, string>, body: Buffer.concat(chunks) };
}
