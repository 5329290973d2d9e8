/** Refusals of an SFTP server as errors of ours. The protocol knows hardly more than "failure": the caller looks closer. */
import { UserError } from '../../util/errors.ts';
import { BackendError, PermissionError } from '../errors.ts';
import { STATUS, SftpStatusError } from './sftp-session.ts';

export function isNoSuchFile(error: unknown): boolean {
  return error instanceof SftpStatusError && error.status === STATUS.NO_SUCH_FILE;
}

/** @param doing what failed, e.g. `store object s3ql_data_1` */
export function toBackendError(error: unknown, doing: string, host: string): Error {
  if (error instanceof BackendError || error instanceof UserError) return error;
  if (error instanceof SftpStatusError && error.status === STATUS.PERMISSION_DENIED) {
    return new PermissionError(`${host} does not permit to ${doing}; the user needs write access to the directory`, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new BackendError(`cannot ${doing} at ${host}: ${message}`, { cause: error, temporary: true });
}
