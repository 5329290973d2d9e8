/** How a request to Azure shows that it may be made: by a signature, by a query, or by a token. */
import { AuthenticationError } from '../errors.ts';

export interface AzureRequestToAuthorize {
  readonly method: string;
  /** As sent, percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

export interface AzureAuthorization {
  readonly headers: Readonly<Record<string, string>>;
  /** Goes behind the request's own query as it stands; empty for none. */
  readonly query: string;
}

export interface AzureAuthorizer {
  /** @throws AuthenticationError, BackendError */
  authorize(request: AzureRequestToAuthorize): Promise<AzureAuthorization>;
  /** Forgets what was refused. Returns whether the next `authorize` may give something else. */
  renew(refused: AzureAuthorization): boolean;
}

/** A shared access signature: a query that somebody with the key has signed. Refusals of an expired one do not always say so: we do. */
export function sasAuthorizer(token: string): AzureAuthorizer {
  const query = token.trim().replace(/^\?/, '');
  const expires = new URLSearchParams(query).get('se') ?? '';
  return {
    authorize: async () => {
      if (Date.parse(expires) < Date.now()) throw new AuthenticationError(`the shared access signature has expired (${expires})`);
      return { headers: {}, query };
    },
    renew: () => false,
  };
}
