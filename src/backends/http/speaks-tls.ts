/** Finding out why a server does not answer to plain HTTP: many that expect TLS say nothing, or something odd, to who comes without it. */
import { connect } from 'node:tls';

const TIMEOUT_MS = 3000;

/** Whether a TLS connection can be made to the server of the origin, whatever its certificate. */
export async function speaksTls(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // Nothing is sent or believed: whose certificate it is does not matter.
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 80),
    rejectUnauthorized: false,
    timeout: TIMEOUT_MS,
  });
  socket.once('secureConnect', () => resolve(true));
  for (const event of ['error', 'timeout', 'close'] as const) socket.once(event, () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
