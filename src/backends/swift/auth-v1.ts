/** Swift's own way to log in (version 1): a token for user and key. https://docs.openstack.org/swift/latest/overview_auth.html */
import { AuthenticationError, BackendError, MisconfigurationError } from '../errors.ts';
import type { HttpClient } from '../http/http-client.ts';
import { isSuccess, isTemporaryStatus } from '../http/http-status.ts';
import { swiftSession, type SwiftSession } from './swift-session.ts';

const PATHS = ['/v1.0', '/auth/v1.0'];
/** What servers answer at a path that is not for logging in. */
const NOT_HERE: ReadonlySet<number> = new Set([404, 405, 412]);

export interface AuthV1Options {
  readonly http: HttpClient;
  readonly origin: string;
  readonly user: string;
  readonly key: string;
}

export async function loginV1({ http, origin, user, key }: AuthV1Options): Promise<SwiftSession> {
  const { host } = new URL(origin);
  for (const path of PATHS) {
    const response = await http.request({ method: 'GET', origin, path, headers: { 'x-auth-user': user, 'x-auth-key': key } });
    if (NOT_HERE.has(response.status)) continue;
    if (response.status === 401 || response.status === 403) {
      throw new AuthenticationError(
        `${host} does not accept user and key; check backend-login and backend-password (HTTP ${response.status})`,
      );
    }
    if (!isSuccess(response.status)) {
      const waiting = response.retryAfterMs === undefined ? {} : { retryAfterMs: response.retryAfterMs };
      throw new BackendError(`${host} answered HTTP ${response.status} to the login`, {
        temporary: isTemporaryStatus(response.status),
        ...waiting,
      });
    }
    const token = response.headers['x-auth-token'];
    const storageUrl = response.headers['x-storage-url'];
    if (token !== undefined && storageUrl !== undefined) return swiftSession(token, storageUrl);
  }
  throw new MisconfigurationError(
    `${host} has no version 1 login for Swift; check the storage URL (with Keystone it begins with swiftks://)`,
  );
}
