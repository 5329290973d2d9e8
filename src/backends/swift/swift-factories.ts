/** What the Swift family declares about itself. The client is loaded when a store is opened. */
import type { BackendFactory, BackendOptionSpec } from '../backend-factory.ts';
import { HTTP_OPTIONS, S3QL_CLIENT_OPTIONS } from '../http/http-option-specs.ts';
import { parseKeystoneUrl, parseRackspaceUrl, parseSwiftUrl, withTrailingSlash } from './swift-location.ts';

const SWIFT_OPTIONS: Readonly<Record<string, BackendOptionSpec>> = {
  'no-ssl': { takesValue: false, description: 'Log in without TLS. Whether objects travel by TLS is for the store to say.' },
  ...HTTP_OPTIONS,
  ...(S3QL_CLIENT_OPTIONS['disable-expect100'] === undefined ? {} : { 'disable-expect100': S3QL_CLIENT_OPTIONS['disable-expect100'] }),
  'no-feature-detection': { takesValue: false, description: 'Do not ask the store what it can do (/info): no bulk deletion.' },
};

const KEYSTONE_OPTIONS: Readonly<Record<string, BackendOptionSpec>> = {
  ...SWIFT_OPTIONS,
  domain: { takesValue: true, description: "Log in with Keystone version 3: the id of the user's domain, often `default`." },
  'domain-is-name': { takesValue: false, description: 'The value of `domain` is a name, not an id.' },
  'project-domain': { takesValue: true, description: "The id of the project's domain, if it is another one than the user's." },
  'project-domain-is-name': { takesValue: false, description: 'The value of `project-domain` is a name, not an id.' },
  'tenant-is-name': { takesValue: false, description: 'The project in PROJECT:USER is a name, not an id (version 3).' },
  'identity-url': { takesValue: true, description: 'The URL of Keystone, if it is not at the host of the storage URL.' },
};

export const swiftFactory: BackendFactory = {
  scheme: 'swift',
  urlSyntax: 'swift://<host>[:<port>]/<container>[/<prefix>]',
  credentials: 'required',
  loginLabel: 'user',
  passwordLabel: 'key',
  options: SWIFT_OPTIONS,
  canonicalizeUrl(url) {
    parseSwiftUrl(url);
    return withTrailingSlash(url);
  },
  async open(spec) {
    const { openSwift } = await import('./open-swift.ts');
    return openSwift(spec);
  },
};

export const swiftksFactory: BackendFactory = {
  scheme: 'swiftks',
  urlSyntax: 'swiftks://<host>[:<port>]/<region>:<container>[/<prefix>]',
  credentials: 'required',
  loginLabel: 'project:user',
  passwordLabel: 'password',
  options: KEYSTONE_OPTIONS,
  canonicalizeUrl(url) {
    parseKeystoneUrl(url);
    return withTrailingSlash(url);
  },
  async open(spec) {
    const { openKeystoneSwift } = await import('./open-swift.ts');
    return openKeystoneSwift(spec);
  },
};

export const rackspaceFactory: BackendFactory = {
  scheme: 'rackspace',
  urlSyntax: 'rackspace://<region>/<container>[/<prefix>]',
  credentials: 'required',
  loginLabel: 'user',
  passwordLabel: 'password',
  options: KEYSTONE_OPTIONS,
  canonicalizeUrl(url) {
    parseRackspaceUrl(url);
    return withTrailingSlash(url);
  },
  async open(spec) {
    const { openRackspace } = await import('./open-swift.ts');
    return openRackspace(spec);
  },
};
