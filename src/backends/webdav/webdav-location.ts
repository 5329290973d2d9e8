/** `webdav://<host>[:<port>]/<path>`: a collection of a WebDAV server. */
import { UserError } from '../../util/errors.ts';
import { encodePath } from '../http/percent-encoding.ts';

export interface WebdavLocation {
  /** `https://host[:port]` */
  readonly origin: string;
  /** Of the store's collection, percent-encoded, with slashes at both ends. */
  readonly path: string;
}

/** The path is taken as text, or percent-encoded as browsers show it. @throws UserError with exit code 2 */
export function parseWebdavUrl(url: string, secure: boolean): WebdavLocation {
  const [, host = '', path = ''] = /^webdav:\/\/([^/@]+)(?:\/(.*))?$/.exec(url) ?? [];
  const origin = `${secure ? 'https' : 'http'}://${host}`;
  if (host === '' || !URL.canParse(origin)) {
    throw new UserError(`Invalid storage URL "${url}": it must look like webdav://<host>[:<port>]/<path>.`, 2);
  }
  return { origin: new URL(origin).origin, path: `/${encodePath(decoded(path))}/`.replaceAll(/\/{2,}/g, '/') };
}

/** With exactly one slash at the end. */
export function canonicalWebdavUrl(url: string): string {
  parseWebdavUrl(url, true);
  return url.replace(/\/*$/, '/');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
