/** Refusals of Google Cloud Storage as errors of ours. https://cloud.google.com/storage/docs/json_api/v1/status-codes */
import { AuthenticationError, BackendError, NoSuchContainerError, PermissionError, PreconditionFailedError } from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isTemporaryStatus } from '../http/http-status.ts';

const TOO_FAST: ReadonlySet<string> = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded']);

interface ErrorBody {
  readonly error?: { readonly message?: string; readonly errors?: readonly { readonly reason?: string }[] } | string;
}

/** Whether a 404 is the bucket's, not the object's. */
export function isMissingBucket(response: HttpResponse): boolean {
  return response.status === 404 && /bucket does not exist/i.test(explanation(response).message);
}

/** The error for an answer without success. A 404 is taken for the bucket's. */
export function gsError(response: HttpResponse, bucket: string): BackendError {
  const { status, retryAfterMs } = response;
  const { reason, message } = explanation(response);
  const said = `HTTP ${status}${message === '' ? '' : `: ${message}`}`;
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (TOO_FAST.has(reason)) return new BackendError(`Google asks for fewer requests (${said})`, { temporary: true, ...waiting });
  if (status === 401) return new AuthenticationError(`Google does not accept the access token (${said})`, { temporary: true });
  if (status === 403) {
    return new PermissionError(
      `Google denies access to bucket ${bucket}; the account needs the role "Storage Object Admin" for it (${said})`,
    );
  }
  if (status === 404) return new NoSuchContainerError(`bucket ${bucket} does not exist; create it first (${said})`);
  if (status === 412) return new PreconditionFailedError(`an object is not as expected (${said})`);
  return new BackendError(`Google answered ${said}`, { temporary: isTemporaryStatus(status), ...waiting });
}

function explanation(response: HttpResponse): { readonly reason: string; readonly message: string } {
  const text = Buffer.from(response.body).toString('utf8');
  let body: ErrorBody | null;
  try {
    body = JSON.parse(text) as ErrorBody | null;
  } catch {
    return { reason: '', message: text.slice(0, 200).trim() };
  }
  const error = body?.error;
  if (typeof error !== 'object') return { reason: '', message: error ?? '' };
  return { reason: error.errors?.[0]?.reason ?? '', message: error.message ?? '' };
}
