/** Where access tokens for Azure Storage come from: an application's secret, a workload's token file, the machine's identity, Azure's CLI. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AuthenticationError, BackendError } from '../errors.ts';
import { HttpClient, type HttpRequest } from '../http/http-client.ts';
import { isSuccess, isTemporaryStatus } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import { encodeQuery } from '../http/percent-encoding.ts';
import type { AccessToken, TokenSource } from './entra-tokens.ts';

const RESOURCE = 'https://storage.azure.com';
/** The machine's own service is near, or not there at all. */
const MACHINE_TIMEOUT_MS = 5000;
const CLI_TIMEOUT_MS = 30_000;
const METADATA_SERVICE = 'http://169.254.169.254';

export interface EntraApplication {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
}

export function clientSecretTokens(http: HttpClient, application: EntraApplication, secret: string): TokenSource {
  return () => requestToken(http, application, { client_secret: secret });
}

/** The token in the file, which others keep fresh, is exchanged for one of Entra. */
export function workloadIdentityTokens(http: HttpClient, application: EntraApplication, tokenFile: string): TokenSource {
  return async () => {
    const assertion = await readFile(tokenFile, 'utf8').catch((cause: unknown) => {
      throw new AuthenticationError(`cannot read the token of the workload, ${tokenFile}: ${(cause as Error).message}`, { cause });
    });
    return requestToken(http, application, {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion.trim(),
    });
  };
}

/** The identity of this virtual machine, container or function. @param clientId of a user-assigned identity */
export function managedIdentityTokens(clientId: string | undefined, environment: NodeJS.ProcessEnv = process.env): TokenSource {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: secret, AZURE_POD_IDENTITY_AUTHORITY_HOST: host } = environment;
  const identity: Record<string, string> = clientId === undefined ? {} : { client_id: clientId };
  const [url, headers] =
    endpoint !== undefined && secret !== undefined
      ? [`${endpoint}?${encodeQuery({ 'api-version': '2019-08-01', resource: RESOURCE, ...identity })}`, { 'x-identity-header': secret }]
      : [
          `${host ?? METADATA_SERVICE}/metadata/identity/oauth2/token?${encodeQuery({ 'api-version': '2018-02-01', resource: RESOURCE, ...identity })}`,
          { metadata: 'true' },
        ];
  return async () => {
    // Never through a proxy.
    await using http = new HttpClient({ maxConnections: 1, timeoutMs: MACHINE_TIMEOUT_MS, environment: {} });
    const { origin, pathname, search } = new URL(url);
    return await receiveToken(http, { method: 'GET', origin, path: pathname + search, headers });
  };
}

/** The identity that `az login` has set up for this user. */
export async function azureCliToken(): Promise<AccessToken> {
  const args = ['account', 'get-access-token', '--resource', RESOURCE, '--output', 'json'];
  const { stdout } = await promisify(execFile)('az', args, { timeout: CLI_TIMEOUT_MS }).catch((cause: unknown) => {
    throw new AuthenticationError(`Azure's command line (az) gave no token: ${(cause as Error).message.slice(0, 300)}`, { cause });
  });
  const { accessToken, expires_on: expiresOn } = parseJson<{ readonly accessToken?: string; readonly expires_on?: number }>(
    Buffer.from(stdout),
    'az',
  );
  if (accessToken === undefined || expiresOn === undefined) throw new AuthenticationError("Azure's command line (az) gave no token");
  return { token: accessToken, expiresAtMs: expiresOn * 1000 };
}

function requestToken(
  http: HttpClient,
  { authority, tenantId, clientId }: EntraApplication,
  proof: Readonly<Record<string, string>>,
): Promise<AccessToken> {
  const form = encodeQuery({ grant_type: 'client_credentials', client_id: clientId, scope: `${RESOURCE}/.default`, ...proof });
  return receiveToken(http, {
    method: 'POST',
    origin: new URL(authority).origin,
    path: `/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: [Buffer.from(form)],
  });
}

interface TokenAnswer {
  readonly access_token?: string;
  /** Seconds; text where managed identities answer. */
  readonly expires_in?: number | string;
  readonly expires_on?: number | string;
  readonly error?: string;
  readonly error_description?: string;
}

async function receiveToken(http: HttpClient, request: HttpRequest): Promise<AccessToken> {
  const askedAtMs = Date.now();
  const { host } = new URL(request.origin);
  const response = await http.request(request);
  if (!isSuccess(response.status) && (isTemporaryStatus(response.status) || response.status === 404)) {
    const waiting = response.retryAfterMs === undefined ? {} : { retryAfterMs: response.retryAfterMs };
    throw new BackendError(`${host} answered HTTP ${response.status} instead of an access token`, { temporary: true, ...waiting });
  }
  const answer = parseJson<TokenAnswer>(response.body, host);
  if (!isSuccess(response.status) || answer.access_token === undefined) {
    // The first line tells what is wrong; then come ids for Microsoft's support.
    const reason = [answer.error, answer.error_description?.split(/\r?\n| Trace ID/)[0]].filter(Boolean).join(': ');
    throw new AuthenticationError(`Entra does not accept the credentials (${reason || `HTTP ${response.status}`})`);
  }
  const expiresInS = Number(answer.expires_in);
  const expiresOnS = Number(answer.expires_on);
  const expiresAtMs = Number.isFinite(expiresInS) ? askedAtMs + expiresInS * 1000 : expiresOnS * 1000;
  return { token: answer.access_token, expiresAtMs: Number.isFinite(expiresAtMs) ? expiresAtMs : askedAtMs };
}
