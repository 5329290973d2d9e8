/** Refusals of Azure Blob Storage as errors of ours. https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
import {
  AuthenticationError,
  BackendError,
  NoSuchContainerError,
  PermissionError,
  PreconditionFailedError,
  MisconfigurationError,
} from '../errors.ts';
import { clockSkewError } from '../http/clock-skew.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isTemporaryStatus } from '../http/http-status.ts';
import { parseXml, xmlText } from '../http/xml.ts';
import type { AzureLocation } from './azure-location.ts';

const NO_CONTAINER: ReadonlySet<string> = new Set(['ContainerNotFound', 'ContainerDisabled', 'ResourceNotFound']);
const UNKNOWN: ReadonlySet<string> = new Set(['AuthenticationFailed', 'InvalidAuthenticationInfo', 'NoAuthenticationInformation']);
const CONDITION: ReadonlySet<string> = new Set(['BlobAlreadyExists', 'ConditionNotMet', 'TargetConditionNotMet']);
const PASSING: ReadonlySet<string> = new Set(['ContainerBeingDeleted', 'Md5Mismatch', 'OperationTimedOut', 'ServerBusy', 'InternalError']);

/** The service's word for what is wrong; empty if it says none. */
export function azureErrorCode(response: HttpResponse): string {
  return response.headers['x-ms-error-code'] ?? xmlText(parseXml(response.body, 'Error'), 'Code') ?? '';
}

/** The error for an answer without success. */
export function azureError(response: HttpResponse, host: string, location: Pick<AzureLocation, 'account' | 'container'>): BackendError {
  const { account, container } = location;
  const { status, retryAfterMs } = response;
  const code = azureErrorCode(response);
  const said = `HTTP ${status}${code === '' ? '' : ` ${code}`}`;
  if (NO_CONTAINER.has(code))
    return new NoSuchContainerError(`container ${container} does not exist at ${host}; create it first (${said})`);
  if (CONDITION.has(code) || status === 412) return new PreconditionFailedError(`an object is not as expected (${said})`);
  if (code === 'KeyBasedAuthenticationNotPermitted') {
    return new AuthenticationError(`the storage account ${account} does not allow its keys to be used; log in with Entra (${said})`);
  }
  if (UNKNOWN.has(code) || status === 401) return authenticationError(response, host, account, said);
  if (status === 403) {
    return new PermissionError(
      `${host} denies access to container ${container}; the login needs the role "Storage Blob Data Contributor" for it, or a shared access signature with permissions racwdl (${said})`,
    );
  }
  if (code === 'AccountRequiresHttps' || code === 'InsecureTransport') {
    return new MisconfigurationError(`${host} wants TLS; use https in the backend option endpoint (${said})`);
  }
  return new BackendError(`${host} answered ${said}`, {
    temporary: isTemporaryStatus(status) || PASSING.has(code),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function authenticationError(response: HttpResponse, host: string, account: string, said: string): BackendError {
  const detail = xmlText(parseXml(response.body, 'Error'), 'AuthenticationErrorDetail') ?? '';
  const date = response.headers['date'];
  if (/date header too old|not within .* minutes/i.test(detail)) return clockSkewError(host, date);
  if (/time frame/i.test(detail)) {
    return new AuthenticationError(`the shared access signature for ${account} has expired or is not valid yet (${said})`);
  }
  return new AuthenticationError(`${host} does not accept the credentials; check backend-login and backend-password (${said})`);
}
