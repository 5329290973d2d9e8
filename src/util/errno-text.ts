/** What an error of a file operation, Node's or ours, says to a person: `no such file or directory`. */
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** Undefined if the error is none of a file operation: then it is a bug, or has a message of its own. */
export function errnoText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const errno = (constants.errno as Readonly<Record<string, number>>)[error.code];
  return errno === undefined ? undefined : getSystemErrorMessage(-errno);
}
