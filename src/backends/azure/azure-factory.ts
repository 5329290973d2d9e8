/** What Azure Blob Storage declares about itself. The client is loaded when a store is opened. */
import type { BackendFactory } from '../backend-factory.ts';
import { HTTP_OPTIONS } from '../http/http-option-specs.ts';
import { parseAzureUrl } from './azure-location.ts';

export const azureFactory: BackendFactory = {
  scheme: 'azure',
  urlSyntax: 'azure://<account>/<container>[/<prefix>]',
  credentials: 'optional',
  loginLabel: '"key", "sas", "client-secret", "workload-identity", "managed-identity" or "default"',
  passwordLabel: 'account key, shared access signature or client secret',
  options: {
    ...HTTP_OPTIONS,
    endpoint: {
      takesValue: true,
      description: 'The URL of the blob service, if it is not https://<account>.blob.core.windows.net (other clouds, Azurite).',
    },
    'tenant-id': { takesValue: true, description: 'The tenant of the Entra application to log in as ($AZURE_TENANT_ID).' },
    'client-id': {
      takesValue: true,
      description: 'The Entra application, or the user-assigned managed identity, to log in as ($AZURE_CLIENT_ID).',
    },
    'authority-host': {
      takesValue: true,
      description: 'Where Entra is, if it is not https://login.microsoftonline.com ($AZURE_AUTHORITY_HOST).',
    },
  },
  canonicalizeUrl(url) {
    parseAzureUrl(url);
    return /^azure:\/\/[^/]+\/[^/]+$/.test(url) ? `${url}/` : url;
  },
  async open(spec) {
    const { openAzure } = await import('./open-azure.ts');
    return openAzure(spec);
  },
};
