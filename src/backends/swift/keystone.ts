/**
 * Logging in with OpenStack's identity service: a token, and from its catalogue the object store of a region.
 * Version 2: https://docs.openstack.org/keystone/queens/contributor/http-api.html#v2-0
 * Version 3: https://docs.openstack.org/api-ref/identity/v3/
 */
import { AuthenticationError, BackendError, MisconfigurationError, NoSuchContainerError } from '../errors.ts';
import type { HttpClient, HttpResponse } from '../http/http-client.ts';
import { isSuccess, isTemporaryStatus } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import { swiftSession, type SwiftSession } from './swift-session.ts';

/** A domain, project or the like, by id or by name. */
export type KeystoneName = { readonly id: string } | { readonly name: string };

export interface KeystoneOptions {
  readonly http: HttpClient;
  /** Where `/v3` or `/v2.0` is, without them: `https://host:5000` or `https://host/identity`. */
  readonly identityUrl: string;
  readonly region: string;
  readonly user: string;
  readonly password: string;
  /** Project (once called tenant). Undefined: the only one there is. */
  readonly project?: KeystoneName | undefined;
  /** Domains of user and project: that makes it version 3. */
  readonly domains?: { readonly user: KeystoneName; readonly project: KeystoneName } | undefined;
}

/** The catalogue of either version in one form. */
interface Endpoint {
  readonly region: string;
  readonly url: string;
}

interface V2Answer {
  readonly access?: {
    readonly token?: { readonly id?: string };
    readonly serviceCatalog?: readonly {
      readonly type?: string;
      readonly endpoints?: readonly { readonly region?: string; readonly publicURL?: string }[];
    }[];
  };
}

interface V3Answer {
  readonly token?: {
    readonly catalog?: readonly {
      readonly type?: string;
      readonly endpoints?: readonly {
        readonly interface?: string;
        readonly region?: string | null;
        readonly region_id?: string | null;
        readonly url?: string;
      }[];
    }[];
  };
}

interface ProjectList {
  readonly tenants?: readonly ProjectEntry[];
  readonly projects?: readonly ProjectEntry[];
}

interface ProjectEntry {
  readonly id: string;
  readonly name: string;
}

interface Grant {
  readonly token: string;
  readonly endpoints: readonly Endpoint[];
}

export async function loginKeystone(options: KeystoneOptions): Promise<SwiftSession> {
  const { region, project, domains, identityUrl } = options;
  const grantFor = (scope: KeystoneName | undefined): Promise<Grant> =>
    domains === undefined ? grantV2(options, scope) : grantV3(options, domains, scope);
  let grant = await grantFor(project);
  if (project === undefined && grant.endpoints.length === 0) grant = await grantFor(await onlyProject(options, grant.token));
  const endpoint = grant.endpoints.find((candidate) => candidate.region === region);
  if (endpoint !== undefined) return swiftSession(grant.token, endpoint.url);
  const { host } = new URL(identityUrl);
  const regions = [...new Set(grant.endpoints.map((candidate) => candidate.region))].join(', ');
  if (regions === '') throw new NoSuchContainerError(`${host} knows no object store for this project; is Swift enabled for it?`);
  throw new MisconfigurationError(`${host} knows no object store in region "${region}"; there are: ${regions}`);
}

async function grantV2(options: KeystoneOptions, project: KeystoneName | undefined): Promise<Grant> {
  const { user, password } = options;
  const tenant = project === undefined ? {} : 'id' in project ? { tenantId: project.id } : { tenantName: project.name };
  const auth = { passwordCredentials: { username: user, password }, ...tenant };
  const response = await post(options, '/v2.0/tokens', { auth });
  const { access } = parseJson<V2Answer>(response.body, host(options));
  const services = access?.serviceCatalog?.filter(({ type }) => type === 'object-store') ?? [];
  return {
    token: access?.token?.id ?? noToken(options),
    endpoints: services.flatMap(({ endpoints = [] }) => endpoints.map(({ region = '', publicURL = '' }) => ({ region, url: publicURL }))),
  };
}

async function grantV3(
  options: KeystoneOptions,
  domains: NonNullable<KeystoneOptions['domains']>,
  project: KeystoneName | undefined,
): Promise<Grant> {
  const { user, password } = options;
  const identity = { methods: ['password'], password: { user: { name: user, domain: domains.user, password } } };
  // An id is enough; a name says nothing without its domain.
  const scope = project === undefined ? {} : { scope: { project: 'id' in project ? project : { ...project, domain: domains.project } } };
  const response = await post(options, '/v3/auth/tokens', { auth: { identity, ...scope } });
  const { token } = parseJson<V3Answer>(response.body, host(options));
  const services = token?.catalog?.filter(({ type }) => type === 'object-store') ?? [];
  return {
    token: response.headers['x-subject-token'] ?? noToken(options),
    endpoints: services
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter((endpoint) => endpoint.interface === 'public')
      .map((endpoint) => ({ region: endpoint.region_id ?? endpoint.region ?? '', url: endpoint.url ?? '' })),
  };
}

/** The project of a user who named none. @throws AuthenticationError unless there is exactly one */
async function onlyProject(options: KeystoneOptions, token: string): Promise<KeystoneName> {
  const path = options.domains === undefined ? '/v2.0/tenants' : '/v3/auth/projects';
  const { origin, pathname } = identityBase(options.identityUrl);
  const response = await options.http.request({ method: 'GET', origin, path: pathname + path, headers: { 'x-auth-token': token } });
  if (!isSuccess(response.status)) throw refusal(options, response);
  const { tenants, projects } = parseJson<ProjectList>(response.body, host(options));
  const all = tenants ?? projects ?? [];
  const [first] = all;
  if (first !== undefined && all.length === 1) return { id: first.id };
  const names = all.map(({ id, name }) => `${name} (${id})`).join(', ') || 'none';
  throw new AuthenticationError(`backend-login must be PROJECT:USER; the projects of ${options.user} are: ${names}`);
}

async function post(options: KeystoneOptions, path: string, body: object): Promise<HttpResponse> {
  const { origin, pathname } = identityBase(options.identityUrl);
  const response = await options.http.request({
    method: 'POST',
    origin,
    path: pathname + path,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: [Buffer.from(JSON.stringify(body), 'utf8')],
  });
  if (!isSuccess(response.status)) throw refusal(options, response);
  return response;
}

function refusal(options: KeystoneOptions, response: HttpResponse): BackendError {
  const { status, retryAfterMs } = response;
  const at = host(options);
  if (status === 401 || status === 403) {
    return new AuthenticationError(
      `${at} does not accept user, password or project; check backend-login (PROJECT:USER) and backend-password (HTTP ${status})`,
    );
  }
  if (status === 404 || status === 410 || status === 300) {
    const cure = options.domains === undefined ? 'for version 3 set the backend option domain=default; ' : '';
    return new MisconfigurationError(
      `there is no Keystone of this version at ${options.identityUrl}; ${cure}see also the backend option identity-url`,
    );
  }
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new BackendError(`${at} answered HTTP ${status} to the login`, { temporary: isTemporaryStatus(status), ...waiting });
}

function noToken(options: KeystoneOptions): never {
  throw new BackendError(`${host(options)} gave no token`, { temporary: true });
}

function host(options: KeystoneOptions): string {
  return new URL(options.identityUrl).host;
}

/** A user may have named the version already. */
function identityBase(identityUrl: string): { readonly origin: string; readonly pathname: string } {
  const { origin, pathname } = new URL(identityUrl);
  return { origin, pathname: pathname.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '') };
}
