/** What the S3 family declares about itself. The clients are loaded when a store is opened. */
import type { BackendFactory, BackendOptionSpec } from '../backend-factory.ts';
import { HTTP_OPTIONS, NO_SSL_OPTION, S3QL_CLIENT_OPTIONS } from '../http/http-option-specs.ts';
import { parseAwsUrl, parseB2Url, parseCompatibleUrl } from './s3-location.ts';

const LABELS = { loginLabel: 'access key id', passwordLabel: 'secret access key' };

const AMAZON_OPTIONS: Readonly<Record<string, BackendOptionSpec>> = {
  sse: { takesValue: false, description: 'Let Amazon encrypt the objects (AES256), besides our own encryption.' },
  ia: { takesValue: false, description: 'Storage class STANDARD_IA: cheap to keep, dear to read.' },
  oia: { takesValue: false, description: 'Storage class ONEZONE_IA: as ia, in one place only.' },
  rrs: { takesValue: false, description: 'Storage class REDUCED_REDUNDANCY.' },
  it: { takesValue: false, description: 'Storage class INTELLIGENT_TIERING.' },
};

export const s3Factory: BackendFactory = {
  scheme: 's3',
  urlSyntax: 's3://<region>/<bucket>/<prefix>',
  credentials: 'optional',
  ...LABELS,
  options: { ...NO_SSL_OPTION, ...HTTP_OPTIONS, ...AMAZON_OPTIONS },
  canonicalizeUrl(url) {
    const canonical = /^s3:\/\/[^/]+$/.test(url) ? `${url}/` : url;
    parseAwsUrl(canonical);
    return canonical;
  },
  async open(spec) {
    const { openAmazonS3 } = await import('./open-s3.ts');
    return openAmazonS3(spec);
  },
};

export const s3cFactory: BackendFactory = compatible('s3c', 2, { ...NO_SSL_OPTION, ...HTTP_OPTIONS, ...S3QL_CLIENT_OPTIONS });

export const s3c4Factory: BackendFactory = compatible('s3c4', 4, {
  ...NO_SSL_OPTION,
  ...HTTP_OPTIONS,
  ...S3QL_CLIENT_OPTIONS,
  'sig-region': { takesValue: true, description: 'The region that signatures are made for (us-east-1).' },
});

export const b2Factory: BackendFactory = {
  scheme: 'b2',
  urlSyntax: 'b2://<bucket>[/<prefix>]',
  credentials: 'required',
  loginLabel: 'application key id',
  passwordLabel: 'application key',
  options: { ...NO_SSL_OPTION, ...HTTP_OPTIONS, ...S3QL_CLIENT_OPTIONS },
  canonicalizeUrl(url) {
    parseB2Url(url);
    return url;
  },
  async open(spec) {
    const { openB2 } = await import('./open-b2.ts');
    return openB2(spec);
  },
};

function compatible(scheme: 's3c' | 's3c4', signatureVersion: 2 | 4, options: Readonly<Record<string, BackendOptionSpec>>): BackendFactory {
  return {
    scheme,
    urlSyntax: `${scheme}://<host>[:<port>]/<bucket>/<prefix>`,
    credentials: 'optional',
    ...LABELS,
    options,
    canonicalizeUrl(url) {
      parseCompatibleUrl(url, true);
      return /^[^:]+:\/\/[^/]+\/[^/]+$/.test(url) ? `${url}/` : url;
    },
    async open(spec) {
      const { openCompatibleS3 } = await import('./open-s3.ts');
      return openCompatibleS3(spec, signatureVersion);
    },
  };
}
