/** Which credentials a user means: by backend-login, or, without one, whatever Azure's own tools would find. */
import { UserError } from '../../util/errors.ts';
import type { BackendSpec } from '../backend-factory.ts';
import { AuthenticationError } from '../errors.ts';
import type { HttpClient } from '../http/http-client.ts';
import { optionValue } from '../http/http-options.ts';
import { sasAuthorizer, type AzureAuthorizer } from './authorizer.ts';
import { tokenAuthorizer, type AccessToken, type TokenSource } from './entra-tokens.ts';
import { sharedKeyAuthorizer } from './shared-key.ts';
import {
  azureCliToken,
  clientSecretTokens,
  managedIdentityTokens,
  workloadIdentityTokens,
  type EntraApplication,
} from './token-sources.ts';

const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';

/** @throws UserError with exit code 2, AuthenticationError */
export function azureAuthorizer(
  spec: BackendSpec,
  account: string,
  http: HttpClient,
  environment: NodeJS.ProcessEnv = process.env,
): AzureAuthorizer {
  const { login = 'default' } = spec;
  const clientId = optionValue(spec, 'client-id') ?? environment['AZURE_CLIENT_ID'];
  switch (login) {
    case 'key':
    case account:
      return sharedKeyAuthorizer(account, password(spec, 'the key of the storage account'));
    case 'sas':
      return sasAuthorizer(password(spec, 'the shared access signature'));
    case 'client-secret':
      return tokenAuthorizer(
        clientSecretTokens(http, application(spec, environment), password(spec, 'the secret of the Entra application')),
      );
    case 'workload-identity':
      return tokenAuthorizer(workloadIdentityTokens(http, application(spec, environment), tokenFile(environment)));
    case 'managed-identity':
      return tokenAuthorizer(managedIdentityTokens(clientId, environment));
    case 'default':
      return defaultAuthorizer(spec, account, http, environment);
    default:
      throw new UserError(
        'The backend-login for azure:// must be "key", "sas", "client-secret" (backend-password: the key, signature or secret), "workload-identity", "managed-identity" or "default".',
        2,
      );
  }
}

/** The variables that Azure's tools read, then this machine's own identity. */
function defaultAuthorizer(spec: BackendSpec, account: string, http: HttpClient, environment: NodeJS.ProcessEnv): AzureAuthorizer {
  const {
    AZURE_STORAGE_KEY: key,
    AZURE_STORAGE_SAS_TOKEN: sas,
    AZURE_CLIENT_SECRET: secret,
    AZURE_FEDERATED_TOKEN_FILE: file,
    IDENTITY_ENDPOINT: identityEndpoint,
  } = environment;
  const clientId = optionValue(spec, 'client-id') ?? environment['AZURE_CLIENT_ID'];
  if (key) return sharedKeyAuthorizer(account, key);
  if (sas) return sasAuthorizer(sas);
  if (secret) return tokenAuthorizer(clientSecretTokens(http, application(spec, environment), secret));
  if (file) return tokenAuthorizer(workloadIdentityTokens(http, application(spec, environment), file));
  const machine = managedIdentityTokens(clientId, environment);
  return tokenAuthorizer(identityEndpoint === undefined ? () => firstOf([azureCliToken, machine]) : machine);
}

async function firstOf(sources: readonly TokenSource[]): Promise<AccessToken> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await source();
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new AuthenticationError(
    `no credentials found: set backend-login and backend-password in the authfile, or let "az account get-access-token" work for this user (${reasons.join('; ')})`,
  );
}

function application(spec: BackendSpec, environment: NodeJS.ProcessEnv): EntraApplication {
  const tenantId = optionValue(spec, 'tenant-id') ?? environment['AZURE_TENANT_ID'];
  const clientId = optionValue(spec, 'client-id') ?? environment['AZURE_CLIENT_ID'];
  const authority = optionValue(spec, 'authority-host') ?? environment['AZURE_AUTHORITY_HOST'] ?? DEFAULT_AUTHORITY;
  if (tenantId === undefined || clientId === undefined) {
    throw new UserError('Logging in as an Entra application needs the backend options tenant-id and client-id.', 2);
  }
  if (!URL.canParse(authority) || !/^https?:/.test(authority)) {
    throw new UserError(`Backend option authority-host=${authority} is no URL.`, 2);
  }
  return { authority, tenantId, clientId };
}

function tokenFile(environment: NodeJS.ProcessEnv): string {
  const file = environment['AZURE_FEDERATED_TOKEN_FILE'];
  if (file === undefined) throw new UserError('There is no workload identity: AZURE_FEDERATED_TOKEN_FILE is not set.', 2);
  return file;
}

function password(spec: BackendSpec, what: string): string {
  if (!spec.password) throw new UserError(`With the backend-login "${spec.login}" the backend-password must be ${what}.`, 2);
  return spec.password;
}
