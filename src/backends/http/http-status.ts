/** What an HTTP status means for another try, the same for all stores (S3QL behaviour 1.3, retry policy). */

const PERMANENT_SERVER_ERRORS: ReadonlySet<number> = new Set([501, 505, 508, 510, 511, 523]);

/**
 * Whether the same request may succeed later. An answer of success that is none to the caller is not the store's: that of a proxy in
 * between, which may be gone then.
 */
export function isTemporaryStatus(status: number): boolean {
  return isSuccess(status) || status === 408 || status === 429 || (status >= 500 && status <= 599 && !PERMANENT_SERVER_ERRORS.has(status));
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}
