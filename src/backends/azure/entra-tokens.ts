/**
 * Access tokens of Microsoft Entra for Azure Storage: renewed five minutes before they expire, by one request however many wait.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
import { BackendError, AuthenticationError } from '../errors.ts';
import type { AzureAuthorizer } from './authorizer.ts';

const RENEW_BEFORE_MS = 5 * 60_000;

export interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Asks for a new token. @throws AuthenticationError, BackendError */
export type TokenSource = () => Promise<AccessToken>;

export function tokenAuthorizer(source: TokenSource, now: () => number = Date.now): AzureAuthorizer {
  let current: AccessToken | undefined;
  let renewing: Promise<AccessToken> | undefined;
  let worked = false;

  const renewed = async (): Promise<AccessToken> => {
    try {
      current = await source();
      worked = true;
      return current;
    } catch (error) {
      // One that is still good will do until the service is back; and what was accepted once is not wrong now.
      if (current !== undefined && now() < current.expiresAtMs) return current;
      if (!worked || !(error instanceof AuthenticationError)) throw error;
      throw new BackendError(`cannot renew the access token: ${error.message}`, { cause: error, temporary: true });
    } finally {
      renewing = undefined;
    }
  };

  return {
    async authorize() {
      const fresh = current !== undefined && now() < current.expiresAtMs - RENEW_BEFORE_MS;
      const { token } = fresh && current !== undefined ? current : await (renewing ??= renewed());
      return { headers: { authorization: `Bearer ${token}` }, query: '' };
    },
    renew(refused) {
      // Another request may have renewed it meanwhile.
      if (refused.headers['authorization'] === `Bearer ${current?.token}`) current = undefined;
      return true;
    },
  };
}
