/**
 * What can go wrong with a store. Retry policy and exit codes depend on the class alone, never on a store's own codes.
 */

/** Base of all store errors. `temporary` ones are worth another try. */
export class BackendError extends Error {
  readonly temporary: boolean;
  /** How long the store asked us to wait (Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: ErrorOptions & { temporary?: boolean; retryAfterMs?: number }) {
    super(message, options);
    this.name = new.target.name;
    this.temporary = options?.temporary ?? false;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The key does not exist. */
export class NoSuchObjectError extends BackendError {
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`object ${key} does not exist`, options);
    this.key = key;
  }
}

/** Bucket, container or directory does not exist (exit code 16). */
export class NoSuchContainerError extends BackendError {}
/** The store does not know these credentials (exit code 14). */
export class AuthenticationError extends BackendError {}
/** The credentials are known but may not do this (exit code 15). */
export class PermissionError extends BackendError {}
/**
 * Store and set-up do not fit: wrong region, TLS where there is none, a certificate that is not trusted, a wrong clock (exit code 2). Never
 * worth another try when a store is opened. `temporary` ones may heal while it is in use: a clock is set, a certificate renewed.
 */
export class MisconfigurationError extends BackendError {}
/** The host name cannot be resolved (exit code 19). */
export class HostNotFoundError extends BackendError {}
/** The object exists but is not what was stored: truncated, bad header, bad checksum. */
export class CorruptedObjectError extends BackendError {}
/** ifAbsent or ifVersion did not hold. */
export class PreconditionFailedError extends BackendError {}
/** The store has no room left. Temporary: room may come back, but that may take so long that retries are left to the caller. */
export class NoSpaceError extends BackendError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, temporary: true });
  }
}

/** A request failed for so long that trying it again was given up. Still temporary: the store may come back one day. */
export class GaveUpError extends BackendError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, temporary: true });
  }
}

/** The file system is another machine's by now: nothing is written any more. */
export class FileSystemLostError extends BackendError {}
