/** Storage URLs of the Swift family (S3QL behaviour 1.3). */
import { UserError } from '../../util/errors.ts';

export interface SwiftLocation {
  /** `host[:port]` of the service that hands out tokens. */
  readonly host: string;
  /** Only with Keystone: which of the account's object stores. */
  readonly region?: string;
  readonly container: string;
  /** Precedes every key. */
  readonly prefix: string;
}

const RACKSPACE_HOST = 'auth.api.rackspacecloud.com';

/** `swift://<host>[:<port>]/<container>[/<prefix>]`. @throws UserError with exit code 2 */
export function parseSwiftUrl(url: string): SwiftLocation {
  const [, host = '', container = '', prefix = ''] = /^swift:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (!isHost(host) || container === '') throw malformed(url, 'swift://<host>[:<port>]/<container>[/<prefix>]');
  return { host, container, prefix };
}

/** `swiftks://<host>[:<port>]/<region>:<container>[/<prefix>]`. @throws UserError with exit code 2 */
export function parseKeystoneUrl(url: string): SwiftLocation & { readonly region: string } {
  const [, host = '', region = '', container = '', prefix = ''] = /^swiftks:\/\/([^/]+)\/([^/:]+):([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (!isHost(host) || container === '') throw malformed(url, 'swiftks://<host>[:<port>]/<region>:<container>[/<prefix>]');
  return { host, region, container, prefix };
}

/** `rackspace://<region>/<container>[/<prefix>]`. @throws UserError with exit code 2 */
export function parseRackspaceUrl(url: string): SwiftLocation & { readonly region: string } {
  const [, region = '', container = '', prefix = ''] = /^rackspace:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (container === '') throw malformed(url, 'rackspace://<region>/<container>[/<prefix>]');
  return { host: RACKSPACE_HOST, region, container, prefix };
}

/** S3QL's canonical form: a slash behind a container without prefix. */
export function withTrailingSlash(url: string): string {
  return /^[^:]+:\/\/[^/]+\/[^/]+$/.test(url) ? `${url}/` : url;
}

function isHost(host: string): boolean {
  return host !== '' && !host.includes('@') && URL.canParse(`http://${host}`);
}

function malformed(url: string, syntax: string): UserError {
  return new UserError(`Invalid storage URL "${url}": it must look like ${syntax}.`, 2);
}
