/** Opens a bucket of Google Cloud Storage: credentials and first contact. */
import { UserError } from '../../util/errors.ts';
import type { Backend } from '../backend.ts';
import type { BackendSpec } from '../backend-factory.ts';
import { firstContact } from '../first-contact.ts';
import { openHttpClient, optionValue } from '../http/http-options.ts';
import { isSuccess } from '../http/http-status.ts';
import { encodeComponent } from '../http/percent-encoding.ts';
import { AccessTokens, type GoogleCredentials } from './access-tokens.ts';
import { GsBackend } from './gs-backend.ts';
import { GsConnection } from './gs-connection.ts';
import { gsError } from './gs-errors.ts';
import { parseGsUrl, type GsLocation } from './gs-location.ts';
import { readOauthClient } from './oauth-client-file.ts';

export async function openGs(spec: BackendSpec): Promise<Backend> {
  const location = parseGsUrl(spec.url);
  const credentials = googleCredentials(spec);
  const http = openHttpClient(spec);
  try {
    const connection = new GsConnection(http, new AccessTokens(credentials, http));
    await firstContact(() => probeListing(connection, location));
    return new GsBackend(spec.url, connection, location, spec.maxConnections);
  } catch (error) {
    await http[Symbol.asyncDispose]();
    throw error;
  }
}

/** Without a login: application default credentials. */
function googleCredentials(spec: BackendSpec): GoogleCredentials {
  const { login = 'adc', password = '' } = spec;
  switch (login) {
    case 'adc':
      return { kind: 'adc' };
    case 'oauth2':
      return { kind: 'oauth2', client: readOauthClient(optionValue(spec, 'oauth-client')), refreshToken: password };
    case 'service-account':
      return { kind: 'service-account', keyFile: password };
    default:
      throw new UserError(
        'The backend-login for gs:// must be "adc", "oauth2" (backend-password: refresh token) or "service-account" (backend-password: path of the key file).',
        2,
      );
  }
}

/** Shows that credentials, permission and bucket are right. */
async function probeListing(connection: GsConnection, { bucket, prefix }: GsLocation): Promise<void> {
  const path = `/storage/v1/b/${encodeComponent(bucket)}/o`;
  const response = await connection.send({ method: 'GET', path, query: { prefix, maxResults: '1', fields: 'items(name)' } });
  if (!isSuccess(response.status)) throw gsError(response, bucket);
}
