/** JSON of servers. */
import { BackendError } from '../errors.ts';

/** @throws BackendError (temporary) if it is none: a proxy's or load balancer's page of HTML */
export function parseJson<T extends object>(body: Uint8Array, server: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (cause) {
    throw new BackendError(`${server} answered something else than JSON`, { cause, temporary: true });
  }
  if (typeof value !== 'object' || value === null)
    throw new BackendError(`${server} answered something else than a JSON object`, { temporary: true });
  return value as T;
}
