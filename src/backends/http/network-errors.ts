/** What went wrong below HTTP (name, connection, TLS, time-out), as errors that say what to do. */
import { lookup } from 'node:dns/promises';
import { BackendError, HostNotFoundError, MisconfigurationError } from '../errors.ts';

/** Names that resolve wherever name resolution works at all. */
const WELL_KNOWN_HOSTS = ['iana.org', 'debian.org', 'a.root-servers.net'];
/** A resolver that hangs must not hold up the verdict. */
const LOOKUP_TIMEOUT_MS = 5000;

export type NameLookup = (name: string) => Promise<unknown>;

const UNTRUSTED_CERTIFICATE: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'EPROTO',
]);
/** Whoever still asks after the end would ask for ever. */
const OVER: ReadonlySet<string> = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);
const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/**
 * The error for a failed request to `origin` (`https://host:port`). Everything at this level is temporary, except what an administrator has to
 * change; a name that does not resolve counts as wrong only if other names do resolve.
 */
export async function networkError(cause: unknown, origin: string, resolve: NameLookup = lookup): Promise<BackendError> {
  const { hostname, host } = new URL(origin);
  const code = errorCode(cause);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_FAIL')
    return unresolvable(unresolvedName(cause) ?? hostname, cause, resolve);
  if (UNTRUSTED_CERTIFICATE.has(code)) {
    return misconfigured(
      `the TLS certificate of ${host} is not signed by a trusted authority (${code}); name the authority's certificate with the backend option ssl-ca-path=FILE`,
      cause,
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const problem = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return misconfigured(
      `the TLS certificate of ${host} ${problem}; if the clock of this machine is right, the server needs a new one`,
      cause,
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return misconfigured(`the TLS certificate of ${host} is for another name; check the host name in the storage URL`, cause);
  }
  if (NOT_TLS.has(code)) {
    return misconfigured(
      `${host} does not speak TLS; if it is meant to be reached without encryption, use the backend option no-ssl`,
      cause,
    );
  }
  if (code.startsWith('HPE_')) {
    return new BackendError(`${host} answers something that is not HTTP`, { cause, temporary: true });
  }
  // undici has no code for these.
  const proxyStatus = /^Proxy (?:response|Authentication Required) \((\d+)\)/.exec(errorMessage(cause))?.[1];
  if (proxyStatus !== undefined) return proxyRefusal(Number(proxyStatus), host, cause);
  if (OVER.has(code)) return new BackendError(`the connections to ${host} have been closed`, { cause });
  if (TIMEOUTS.has(code)) return new BackendError(`${host} did not answer in time`, { cause, temporary: true });
  if (code === 'ECONNREFUSED') return new BackendError(`${host} refuses connections`, { cause, temporary: true });
  return new BackendError(`connection to ${host} failed: ${errorMessage(cause)}`, { cause, temporary: true });
}

/** The error for a proxy that does not let us through to `host`. */
function proxyRefusal(status: number, host: string, cause: unknown): BackendError {
  if (status === 407) {
    return misconfigured(
      'the proxy wants a user name and password; set http_proxy or https_proxy to http://user:password@host:port',
      cause,
    );
  }
  if (status === 403)
    return misconfigured(`the proxy does not allow connections to ${host}; see http_proxy, https_proxy and no_proxy`, cause);
  return new BackendError(`the proxy cannot reach ${host} (HTTP ${status})`, { cause, temporary: true });
}

async function unresolvable(hostname: string, cause: unknown, resolve: NameLookup): Promise<BackendError> {
  const others = await Promise.all(WELL_KNOWN_HOSTS.map((name) => resolves(name, resolve)));
  if (others.includes(true)) return new HostNotFoundError(`the host name ${hostname} does not exist; check the storage URL`, { cause });
  return new HostNotFoundError(`the host name ${hostname} cannot be resolved, nor can other names; check the network`, {
    cause,
    temporary: true,
  });
}

async function resolves(name: string, resolve: NameLookup): Promise<boolean> {
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<boolean>();
  const timer = setTimeout(giveUp, LOOKUP_TIMEOUT_MS, false);
  try {
    return await Promise.race([
      resolve(name).then(
        () => true,
        () => false,
      ),
      tooLate,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function misconfigured(message: string, cause: unknown): MisconfigurationError {
  return new MisconfigurationError(message, { cause, temporary: true });
}

/** Whether a connection was made, but what came over it was no answer. */
export function isNoAnswer(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('HPE_');
}

/** The code of an error or of the first of its causes that has one. */
function errorCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    // undici does not always know which of llhttp's codes it is.
    if (at.name === 'HTTPParserError') return 'HPE_UNKNOWN';
  }
  return '';
}

/** A proxy's name may be the one that failed. */
function unresolvedName(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('hostname' in at && typeof at.hostname === 'string') return at.hostname;
  }
  return undefined;
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message || errorCode(error) : String(error);
}
