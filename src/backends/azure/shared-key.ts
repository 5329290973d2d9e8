/** Requests signed with the account's key. https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
import { createHmac } from 'node:crypto';
import { AuthenticationError } from '../errors.ts';
import type { AzureAuthorizer, AzureRequestToAuthorize } from './authorizer.ts';

/** Those whose values are signed, in the order of the string to sign; x-ms-date stands for `date`. */
const SIGNED_HEADERS = ['date', 'if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range'];

/** @param key as the portal shows it, in base64. @throws AuthenticationError if it cannot be one */
export function sharedKeyAuthorizer(account: string, key: string): AzureAuthorizer {
  if (!/^[A-Za-z0-9+/]{16,}={0,2}$/.test(key.trim())) {
    throw new AuthenticationError('the backend-password is not the key of a storage account (text in base64 that ends with "==")');
  }
  const secret = Buffer.from(key, 'base64');
  return {
    authorize: (request) => {
      const signature = createHmac('sha256', secret).update(stringToSign(account, request)).digest('base64');
      return Promise.resolve({ headers: { authorization: `SharedKey ${account}:${signature}` }, query: '' });
    },
    renew: () => false,
  };
}

/** Exported for its test. */
export function stringToSign(account: string, { method, path, query, headers, bodyBytes }: AzureRequestToAuthorize): string {
  return [
    method,
    headers['content-encoding'] ?? '',
    headers['content-language'] ?? '',
    bodyBytes === 0 ? '' : String(bodyBytes),
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    ...SIGNED_HEADERS.map((name) => headers[name] ?? ''),
    ...sorted(headers)
      .filter(([name]) => name.startsWith('x-ms-'))
      .map(([name, value]) => `${name}:${value.trim()}`),
    `/${account}${path}`,
    ...sorted(query).map(([name, value]) => `${name.toLowerCase()}:${value}`),
  ].join('\n');
}

/** By code unit, as the service does it. */
function sorted(entries: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
