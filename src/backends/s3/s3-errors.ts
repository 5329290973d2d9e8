/** Error answers of the S3 family as errors of ours. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
import {
  AuthenticationError,
  BackendError,
  MisconfigurationError,
  NoSpaceError,
  NoSuchContainerError,
  NoSuchObjectError,
  PermissionError,
  PreconditionFailedError,
} from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isTemporaryStatus } from '../http/http-status.ts';
import { clockSkewError } from '../http/clock-skew.ts';
import { parseXml, xmlText, type XmlElement } from '../http/xml.ts';

const TEMPORARY: ReadonlySet<string> = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'TemporarilyUnavailable',
  'Timeout',
  'TooManyRequests',
]);
const UNKNOWN_KEY: ReadonlySet<string> = new Set(['InvalidAccessKeyId', 'NotSignedUp', 'UnauthorizedAccess', 'Unauthorized']);
const WRONG_SECRET: ReadonlySet<string> = new Set(['SignatureDoesNotMatch', 'InvalidSecurity', 'AuthFailure']);
const EXPIRED: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired']);
const CLOCK: ReadonlySet<string> = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']);
const FULL: ReadonlySet<string> = new Set([
  'QuotaExceeded',
  'XMinioStorageFull',
  'StorageFull',
  'InsufficientStorage',
  'TotalStorageMaxReached',
]);
const FORBIDDEN: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'InvalidObjectState',
  'InvalidPayer',
]);
const WRONG_REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'InvalidRegionName',
]);

/** What an error message speaks of. */
export interface S3ErrorContext {
  readonly host: string;
  readonly bucket: string;
  readonly key?: string | undefined;
  /** How the user names another region, e.g. `use the storage URL s3://eu-west-1/bucket`. */
  readonly regionCure: (region: string) => string;
}

/** The code of an error answer, e.g. `NoSuchKey`; empty if it has none, as answers to HEAD. */
export function s3ErrorCode(response: HttpResponse): string {
  return xmlText(errorElement(response), 'Code') ?? '';
}

/** Credentials that were good once. */
export function isExpiredCode(code: string): boolean {
  return EXPIRED.has(code);
}

/** The error for an answer without success. */
export function s3Error(response: HttpResponse, context: S3ErrorContext): BackendError {
  const element = errorElement(response);
  const region = xmlText(element, 'Region') ?? response.headers['x-amz-bucket-region'];
  return s3CodeError(xmlText(element, 'Code') ?? '', xmlText(element, 'Message'), response, { ...context, region });
}

/** The error for a code and message, which may stand within an answer of success (multiple deletion). */
export function s3CodeError(
  code: string,
  storeMessage: string | undefined,
  response: HttpResponse,
  context: S3ErrorContext & { readonly region?: string | undefined },
): BackendError {
  const { host, bucket, key } = context;
  const { status, retryAfterMs } = response;
  const said = [code || `HTTP ${status}`, storeMessage].filter(Boolean).join(': ');
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (CLOCK.has(code)) return clockSkewError(host, response.headers['date']);
  if (TEMPORARY.has(code)) return new BackendError(`${host} is busy or had a failure (${said})`, { temporary: true, ...waiting });
  if (FULL.has(code) || status === 507) return new NoSpaceError(`${host} has no room left (${said})`);
  if (code === 'NoSuchBucket') return new NoSuchContainerError(`bucket ${bucket} does not exist at ${host}; create it first`);
  if (code === 'NoSuchKey' && key !== undefined) return new NoSuchObjectError(key);
  if (WRONG_REGION.has(code) || (status === 301 && context.region !== undefined)) {
    return new MisconfigurationError(
      `bucket ${bucket} is not in this region (${said})${context.region ? `; ${context.regionCure(context.region)}` : ''}`,
    );
  }
  if (UNKNOWN_KEY.has(code)) return new AuthenticationError(`${host} does not know this access key; check backend-login (${said})`);
  if (WRONG_SECRET.has(code)) return new AuthenticationError(`${host} refuses the signature; check backend-password (${said})`);
  if (EXPIRED.has(code))
    return new AuthenticationError(`the credentials for ${host} have expired or are no longer valid; renew them (${said})`);
  if (code === 'InvalidBucketName') return new MisconfigurationError(`${host} does not allow the bucket name "${bucket}"`);
  if (code === 'PreconditionFailed' || status === 412)
    return new PreconditionFailedError(`object ${key ?? ''} is not as expected (${said})`);
  if (FORBIDDEN.has(code) || status === 403) {
    return new PermissionError(
      `${host} denies access to bucket ${bucket}; the key needs permission to list, read, write and delete (${said})`,
    );
  }
  if (status === 401) return new AuthenticationError(`${host} refuses the credentials; check backend-login and backend-password (${said})`);
  return new BackendError(`${host} answered ${said}`, { temporary: isTemporaryStatus(status), ...waiting });
}

function errorElement(response: HttpResponse): XmlElement | undefined {
  return response.body.byteLength === 0 ? undefined : parseXml(response.body, 'Error');
}
