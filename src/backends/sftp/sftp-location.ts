/** `sftp://[<user>@]<host>[:<port>]/<path>`; a path that begins with `~/` is below the user's home directory. */
import { UserError } from '../../util/errors.ts';

export interface SftpLocation {
  readonly user: string | undefined;
  /** A host name, an address, or a name from ssh's configuration. */
  readonly host: string;
  readonly port: number | undefined;
  /** Of the store's directory, with a trailing slash; absolute, or relative to the home directory. */
  readonly directory: string;
}

const PATTERN = /^sftp:\/\/(?:([^@/:]+)@)?(\[[0-9a-zA-Z:.%]+\]|[^/:@[\]]+)(?::(\d{1,5}))?\/(.*)$/;

/** @throws UserError with exit code 2 */
export function parseSftpUrl(url: string): SftpLocation {
  const [, user, host = '', port, path = ''] = PATTERN.exec(url) ?? [];
  // ssh takes what begins with a dash for an option.
  if (host === '' || host.startsWith('-') || user?.startsWith('-') === true || path.includes('\0')) {
    throw new UserError(`Invalid storage URL "${url}": it must look like sftp://[<user>@]<host>[:<port>]/<path>.`, 2);
  }
  const directory = path.startsWith('~/') ? path.slice(2) : path === '~' ? '' : `/${path}`;
  return {
    user,
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: port === undefined ? undefined : Number(port),
    directory: directory === '' ? './' : directory.replace(/\/*$/, '/'),
  };
}

/** With exactly one slash at the end. */
export function canonicalSftpUrl(url: string): string {
  parseSftpUrl(url);
  return url.replace(/\/*$/, '/');
}
