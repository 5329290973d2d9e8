/** What WebDAV servers declare about themselves. The client is loaded when a store is opened. */
import type { BackendFactory } from '../backend-factory.ts';
import { HTTP_OPTIONS, NO_SSL_OPTION } from '../http/http-option-specs.ts';
import { canonicalWebdavUrl } from './webdav-location.ts';

export const webdavFactory: BackendFactory = {
  scheme: 'webdav',
  urlSyntax: 'webdav://<host>[:<port>]/<path>',
  credentials: 'optional',
  loginLabel: 'user',
  passwordLabel: 'password',
  options: { ...NO_SSL_OPTION, ...HTTP_OPTIONS },
  canonicalizeUrl: canonicalWebdavUrl,
  async open(spec) {
    const { openWebdav } = await import('./open-webdav.ts');
    return openWebdav(spec);
  },
  async cleanUp(spec) {
    const { cleanUpWebdav } = await import('./open-webdav.ts');
    return cleanUpWebdav(spec);
  },
};
