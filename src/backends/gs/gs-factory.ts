/** What Google Cloud Storage declares about itself. The client is loaded when a store is opened. */
import type { BackendFactory } from '../backend-factory.ts';
import { HTTP_OPTIONS } from '../http/http-option-specs.ts';
import { parseGsUrl } from './gs-location.ts';

export const gsFactory: BackendFactory = {
  scheme: 'gs',
  urlSyntax: 'gs://<bucket>/<prefix>',
  credentials: 'optional',
  loginLabel: '"adc", "oauth2" or "service-account"',
  passwordLabel: 'refresh token, or path of the key file',
  options: {
    ...HTTP_OPTIONS,
    'oauth-client': {
      takesValue: true,
      description: 'With login oauth2: the file of the OAuth client (JSON, from the Google console) that the refresh token is for.',
    },
  },
  canonicalizeUrl(url) {
    parseGsUrl(url);
    return /^gs:\/\/[^/]+$/.test(url) ? `${url}/` : url;
  },
  async open(spec) {
    const { openGs } = await import('./open-gs.ts');
    return openGs(spec);
  },
};
