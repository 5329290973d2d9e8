/** What the operating system says about a file as what it means for a store. */
import { BackendError, NoSpaceError, PermissionError } from '../errors.ts';

/** Conditions of the moment: another try may do. */
const TEMPORARY: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOMEM',
  'ENOTCONN',
  'EREMOTEIO',
  'ESTALE',
  'ETIMEDOUT',
]);

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // A DOMException has a code, too: a number.
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** The BackendError for a failed system call; anything that is none is passed through. */
export function toBackendError(error: unknown, doing: string): unknown {
  const code = errorCode(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code) || error instanceof BackendError) return error;
  const message = `cannot ${doing}: ${(error as Error).message}`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new NoSpaceError(message, { cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new PermissionError(message, { cause: error });
  return new BackendError(message, { cause: error, temporary: TEMPORARY.has(code) });
}
