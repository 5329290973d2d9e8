/** Refusals of a Swift store as errors of ours. */
import { AuthenticationError, BackendError, NoSpaceError, PermissionError } from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isTemporaryStatus } from '../http/http-status.ts';

/** Swift's own: its rate limit; a client that went away; a body that does not match its ETag. */
const TEMPORARY: ReadonlySet<number> = new Set([498, 499, 422]);

/** The error for an answer without success. What a 404 means, the caller knows. */
export function swiftError(response: HttpResponse, host: string): BackendError {
  return swiftStatusError(response.status, host, {
    retryAfterMs: response.retryAfterMs,
    text: Buffer.from(response.body).toString('utf8'),
  });
}

/** @param more what the store said and how long it asks to wait */
export function swiftStatusError(
  status: number,
  host: string,
  more: { readonly retryAfterMs?: number | undefined; readonly text?: string } = {},
): BackendError {
  const { retryAfterMs, text = '' } = more;
  if (status === 401) return new AuthenticationError(`${host} does not accept its own token any more (HTTP 401)`, { temporary: true });
  if (status === 403)
    return new PermissionError(`${host} denies access to the container; the user must be allowed to read and write it (HTTP 403)`);
  if (status === 507 || (status === 413 && /quota/i.test(text))) return new NoSpaceError(`${host} has no room left (HTTP ${status})`);
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new BackendError(`${host} answered HTTP ${status}`, { temporary: isTemporaryStatus(status) || TEMPORARY.has(status), ...waiting });
}
