/** Proxies from the environment: `http_proxy`, `https_proxy` and `no_proxy`, as curl and S3QL read them. */
import { UserError } from '../../util/errors.ts';

const EXIT_BAD_PROXY = 13;
const DEFAULT_PROXY_PORT = 80;

export interface ProxySettings {
  /** For http:// servers; with credentials if there are any. */
  readonly httpProxy?: string;
  /** For https:// servers, through a CONNECT tunnel. */
  readonly httpsProxy?: string;
  /** Names, `.domains` and `host:port`s that are reached directly, separated by commas; `*` for all. */
  readonly noProxy?: string;
}

/**
 * Reads the variables; upper case counts where lower case is absent, except for HTTP_PROXY, which web servers set from a request's header.
 * @throws UserError with exit code 13 for a proxy that cannot be understood
 */
export function proxySettings(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const httpProxy = proxyUrl('http_proxy', environment['http_proxy']);
  const httpsProxy = proxyUrl('https_proxy', environment['https_proxy'] || environment['HTTPS_PROXY']);
  const noProxy = environment['no_proxy'] || environment['NO_PROXY'];
  return {
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy ? { noProxy } : {}),
  };
}

/** `[http://][user:password@]host[:port]` as a URL. The value may hold a password: no message repeats it. */
function proxyUrl(variable: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
  const withScheme = hasScheme ? value : `http://${value}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || url.hostname === '' || !['', '/'].includes(url.pathname)) {
    throw new UserError(
      `The environment variable ${variable} is no proxy: it must look like http://[user:password@]host[:port].`,
      EXIT_BAD_PROXY,
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UserError(
      `The environment variable ${variable} names a proxy of kind ${url.protocol.slice(0, -1)}: only http and https are possible.`,
      EXIT_BAD_PROXY,
    );
  }
  const credentials = url.username === '' ? '' : `${url.username}:${url.password}@`;
  return `${url.protocol}//${credentials}${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : DEFAULT_PROXY_PORT)}`;
}
