/** Refusals of WebDAV servers as errors of ours (RFC 4918, 11). */
import {
  AuthenticationError,
  BackendError,
  MisconfigurationError,
  NoSpaceError,
  NoSuchContainerError,
  PermissionError,
} from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isTemporaryStatus } from '../http/http-status.ts';

const LOCKED = 423;
const INSUFFICIENT_STORAGE = 507;

export function webdavError(response: HttpResponse, host: string): BackendError {
  const { status, retryAfterMs, headers } = response;
  const said = `HTTP ${status}`;
  if (status === 401) {
    return new AuthenticationError(`${host} does not accept the login; check backend-login and backend-password (${said})`);
  }
  if (status === 403) return new PermissionError(`${host} denies access (${said})`);
  if (status === 404 || status === 409) return new NoSuchContainerError(`the collection is gone from ${host} (${said})`);
  if (status === INSUFFICIENT_STORAGE) return new NoSpaceError(`there is no room left at ${host} (${said})`);
  if (status >= 300 && status <= 399) {
    return new MisconfigurationError(`${host} says that the store is at ${headers['location'] ?? 'another place'}; use that (${said})`);
  }
  if (status === 405 || status === 400) return new MisconfigurationError(`${host} has no WebDAV collection at this path (${said})`);
  return new BackendError(`${host} answered ${said}`, {
    temporary: isTemporaryStatus(status) || status === LOCKED,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
