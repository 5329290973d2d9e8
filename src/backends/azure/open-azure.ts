/** Opens a container of Azure Blob Storage: credentials and first contact. */
import type { Backend } from '../backend.ts';
import type { OpenSpec } from '../backend-factory.ts';
import { firstContact } from '../first-contact.ts';
import { openHttpClient, optionValue } from '../http/http-options.ts';
import { AzureBackend } from './azure-backend.ts';
import { AzureConnection } from './azure-connection.ts';
import { azureAuthorizer } from './azure-credentials.ts';
import { probeAzureListing } from './azure-list.ts';
import { azureEndpoint, parseAzureUrl } from './azure-location.ts';

export async function openAzure(spec: OpenSpec): Promise<Backend> {
  const location = parseAzureUrl(spec.url);
  const endpoint = azureEndpoint(location, optionValue(spec, 'endpoint'));
  const http = openHttpClient(spec);
  try {
    const connection = new AzureConnection(location, endpoint, http, azureAuthorizer(spec, location.account, http));
    await firstContact(() => probeAzureListing(connection));
    return new AzureBackend(spec.url, connection, spec.maxConnections);
  } catch (error) {
    await http[Symbol.asyncDispose]();
    throw error;
  }
}
