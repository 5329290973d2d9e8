/** `local://<path>`: a directory of this machine, or one that it has mounted. */
import { resolve } from 'node:path';
import { UserError } from '../../util/errors.ts';
import type { BackendFactory } from '../backend-factory.ts';

const URL_PREFIX = 'local://';

/** The directory a canonical local:// URL names, with a trailing slash. */
function localDirectory(canonicalUrl: string): string {
  return canonicalUrl.slice(URL_PREFIX.length);
}

export const localFactory: BackendFactory = {
  scheme: 'local',
  urlSyntax: 'local://<path>',
  credentials: 'none',
  options: {},
  inCallersThread: true,
  wholeTransfers: true,

  canonicalizeUrl(url) {
    const path = url.slice(URL_PREFIX.length);
    if (path === '' || path.includes('\0')) throw new UserError(`"${url}" names no directory; write local:///path/to/directory.`, 2);
    const absolute = resolve(path);
    return `${URL_PREFIX}${absolute === '/' ? '' : absolute}/`;
  },

  async open(spec) {
    const { LocalBackend } = await import('./local-backend.ts');
    return LocalBackend.open(spec.url, localDirectory(spec.url));
  },

  async cleanUp(spec) {
    const { cleanUpLocalStore } = await import('./clean-up.ts');
    return cleanUpLocalStore(localDirectory(spec.url));
  },
};
