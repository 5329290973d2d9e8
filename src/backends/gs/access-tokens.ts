/**
 * Access tokens for Google Cloud Storage. Google's library renews them five minutes before they expire; its requests go through our HTTP
 * client, so that proxies, certificates and time-outs are the same.
 */
import { readFileSync } from 'node:fs';
import { GoogleAuth, JWT, UserRefreshClient, type AuthClient } from 'google-auth-library';
import { UserError } from '../../util/errors.ts';
import { AuthenticationError, BackendError, MisconfigurationError } from '../errors.ts';
import type { HttpClient } from '../http/http-client.ts';
import { fetchWith } from '../http/fetch-with.ts';
import type { OauthClient } from './oauth-client-file.ts';

export const GOOGLE_SCOPES: string[] = ['https://www.googleapis.com/auth/devstorage.read_write'];

export type GoogleCredentials =
  /** Whatever Google's own tools would use: GOOGLE_APPLICATION_CREDENTIALS, gcloud's, the machine's. */
  | { readonly kind: 'adc' }
  | { readonly kind: 'oauth2'; readonly client: OauthClient; readonly refreshToken: string }
  | { readonly kind: 'service-account'; readonly keyFile: string };

export class AccessTokens {
  readonly #makeClient: () => Promise<AuthClient>;
  #client: Promise<AuthClient> | undefined;

  constructor(credentials: GoogleCredentials, http: HttpClient) {
    this.#makeClient = clientMaker(credentials, http);
  }

  /** @throws AuthenticationError, MisconfigurationError for a wrong clock, BackendError */
  async get(): Promise<string> {
    try {
      this.#client ??= this.#makeClient();
      const client = await this.#client;
      const { token } = await client.getAccessToken();
      if (token) return token;
    } catch (cause) {
      this.#client = undefined;
      throw tokenError(cause);
    }
    throw new AuthenticationError('Google gave no access token; check the credentials');
  }

  /** Forgets the token that Google refused. */
  discard(): void {
    this.#client = undefined;
  }
}

function clientMaker(credentials: GoogleCredentials, http: HttpClient): () => Promise<AuthClient> {
  // Proxies are our client's business, as are retries.
  const transporterOptions = { fetchImplementation: fetchWith(http), noProxy: [/./], retry: false };
  switch (credentials.kind) {
    case 'adc':
      return () => new GoogleAuth({ scopes: GOOGLE_SCOPES, clientOptions: { transporterOptions } }).getClient();
    case 'oauth2':
      return async () => {
        const { client, refreshToken } = credentials;
        const { clientId, clientSecret, tokenUrl } = client;
        return new UserRefreshClient({ clientId, clientSecret, refreshToken, transporterOptions, endpoints: { oauth2TokenUrl: tokenUrl } });
      };
    default:
      // The file is read anew each time: it may have been replaced.
      return async () => new JWT({ ...readServiceAccount(credentials.keyFile), scopes: GOOGLE_SCOPES, transporterOptions });
  }
}

/** @throws UserError with exit code 2 */
function readServiceAccount(path: string): { readonly email: string; readonly key: string; readonly keyId: string } {
  let content: { readonly type?: string; readonly client_email?: string; readonly private_key?: string; readonly private_key_id?: string };
  try {
    content = JSON.parse(readFileSync(path, 'utf8')) as typeof content;
  } catch (cause) {
    // The message of a JSON error shows a part of the file, which is secret.
    const reason = cause instanceof SyntaxError ? 'it is no JSON' : String(cause);
    throw new UserError(`Cannot read the key file of the service account, ${path}: ${reason}.`, 2, { cause });
  }
  const { client_email: email, private_key: key, private_key_id: keyId = '' } = content;
  if (email === undefined || key === undefined) throw new UserError(`${path} is no key file of a service account.`, 2);
  return { email, key, keyId };
}

interface TokenRefusal {
  readonly error?: string;
  readonly error_description?: string;
}

export function tokenError(cause: unknown): Error {
  if (cause instanceof UserError) return cause;
  for (let at = cause; at instanceof Error; at = at.cause) {
    if (at instanceof BackendError) return at;
  }
  const { error, error_description: description } = refusal(cause);
  if (/iat and exp/i.test(description ?? '')) {
    return new MisconfigurationError(
      'Google refuses the login because the clock of this machine is wrong; set it (timedatectl set-ntp true)',
      { cause, temporary: true },
    );
  }
  const status = httpStatus(cause);
  if (status !== undefined && (status >= 500 || status === 429)) {
    return new BackendError(`Google's token service answered HTTP ${status}`, { cause, temporary: true });
  }
  const reason = [error, description].filter(Boolean).join(': ') || (cause instanceof Error ? cause.message : String(cause));
  return new AuthenticationError(
    `Google does not accept the credentials (${reason}); renew the refresh token or key, or run "gcloud auth application-default login"`,
    { cause },
  );
}

function refusal(error: unknown): TokenRefusal {
  if (!(error instanceof Error) || !('response' in error)) return {};
  const { data } = error.response as { readonly data?: unknown };
  return typeof data === 'object' && data !== null ? data : {};
}

function httpStatus(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
}
