/**
 * Keystone's two interfaces as its documentation has them, in front of a Swift with tempauth: requests are checked strictly, and the tokens
 * given out are those of tempauth, so that the store behind takes them.
 * Version 2: https://docs.openstack.org/keystone/queens/contributor/http-api.html; version 3: https://docs.openstack.org/api-ref/identity/v3/
 */
import { LoopbackServer, type Answer, type ServedRequest } from './loopback-server.ts';
import type { TestCertificate } from './test-certificates.ts';

export interface KeystoneDoubleOptions {
  /** Where tempauth gives tokens: `host:port`. */
  readonly swiftHost: string;
  readonly versions: readonly (2 | 3)[];
  /** Projects the user is in. */
  readonly projects?: readonly { readonly id: string; readonly name: string }[];
  /** What tokens are asked from tempauth with. */
  readonly swiftUser: string;
  readonly swiftKey: string;
  /** Before `/v3` and `/v2.0`. */
  readonly basePath?: string;
  /** With TLS. */
  readonly certificate?: TestCertificate;
}

export const KEYSTONE_USER = { name: 'anna', password: 'pässword', domain: { id: 'default', name: 'Default' } };
export const KEYSTONE_PROJECT = { id: '0a1b2c3d4e5f60718293a4b5c6d7e8f9', name: 'backups', domain: { id: 'd0d0', name: 'Company' } };
export const KEYSTONE_REGION = 'RegionOne';

interface Named {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: Named;
}

interface V2Request {
  readonly auth?: {
    readonly passwordCredentials?: { readonly username?: string; readonly password?: string };
    readonly tenantName?: string;
    readonly tenantId?: string;
  };
}

interface V3Request {
  readonly auth?: {
    readonly identity?: {
      readonly methods?: readonly string[];
      readonly password?: { readonly user?: Named & { readonly password?: string } };
    };
    readonly scope?: { readonly project?: Named };
  };
}

const UNAUTHORIZED: Answer = {
  status: 401,
  headers: { 'content-type': 'application/json' },
  body: '{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}',
};

export function startKeystoneDouble(options: KeystoneDoubleOptions): Promise<LoopbackServer> {
  const projects = options.projects ?? [KEYSTONE_PROJECT];
  const base = options.basePath ?? '';
  return LoopbackServer.start(async (request) => {
    const version = request.path.startsWith(`${base}/v3/`) ? 3 : request.path.startsWith(`${base}/v2.0/`) ? 2 : undefined;
    if (version === undefined || !options.versions.includes(version)) return { status: 404, body: '{"error":{"code":404}}' };
    const action = `${request.method} ${request.path.slice(base.length)}`;
    if (action === 'GET /v2.0/tenants' || action === 'GET /v3/auth/projects') return projectList(request, version, projects);
    if (action === 'POST /v2.0/tokens') return tokenV2(request, options, projects);
    if (action === 'POST /v3/auth/tokens') return tokenV3(request, options, projects);
    return { status: 404 };
  }, options.certificate);
}

async function tokenV2(request: ServedRequest, options: KeystoneDoubleOptions, projects: readonly Named[]): Promise<Answer> {
  const { auth = {} } = JSON.parse(request.body.toString()) as V2Request;
  const { username, password } = auth.passwordCredentials ?? {};
  if (username !== KEYSTONE_USER.name || password !== KEYSTONE_USER.password) return UNAUTHORIZED;
  const scoped = auth.tenantName !== undefined || auth.tenantId !== undefined;
  const project = projects.find(({ id, name }) => id === auth.tenantId || name === auth.tenantName);
  if (scoped && project === undefined) return UNAUTHORIZED;
  const { token, storageUrl } = await tempauthToken(options);
  const services = [
    { type: 'identity', name: 'keystone', endpoints: [{ region: KEYSTONE_REGION, publicURL: 'http://127.0.0.1:1/v2.0' }] },
    {
      type: 'object-store',
      name: 'swift',
      endpoints: regions(storageUrl).map(([region, url]) => ({ region, publicURL: url, internalURL: 'http://10.0.0.1/' })),
    },
  ];
  const access = {
    token: { id: token, expires: '2038-01-01T00:00:00Z' },
    user: { name: username },
    serviceCatalog: scoped ? services : [],
  };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ access }) };
}

async function tokenV3(request: ServedRequest, options: KeystoneDoubleOptions, projects: readonly Named[]): Promise<Answer> {
  const { auth = {} } = JSON.parse(request.body.toString()) as V3Request;
  const user = auth.identity?.password?.user;
  const known =
    auth.identity?.methods?.join() === 'password' && user?.name === KEYSTONE_USER.name && user.password === KEYSTONE_USER.password;
  if (!known || !isSame(user.domain, KEYSTONE_USER.domain)) return UNAUTHORIZED;
  const wanted = auth.scope?.project;
  const byName = wanted?.name !== undefined && isSame(wanted.domain, KEYSTONE_PROJECT.domain);
  const project = projects.find(({ id, name }) => id === wanted?.id || (byName && name === wanted.name));
  if (wanted !== undefined && project === undefined) return UNAUTHORIZED;
  const { token, storageUrl } = await tempauthToken(options);
  const endpoints = regions(storageUrl).flatMap(([region, url]) => [
    { id: '1', interface: 'internal', region, region_id: region, url: 'http://10.0.0.1/' },
    { id: '2', interface: 'public', region, region_id: region, url },
  ]);
  const catalog = [
    { type: 'identity', name: 'keystone', endpoints: [] },
    { type: 'object-store', name: 'swift', endpoints },
  ];
  const body = {
    token: { methods: ['password'], expires_at: '2038-01-01T00:00:00.000000Z', ...(wanted === undefined ? {} : { catalog, project }) },
  };
  return { status: 201, headers: { 'content-type': 'application/json', 'x-subject-token': token }, body: JSON.stringify(body) };
}

function projectList(request: ServedRequest, version: 2 | 3, projects: readonly Named[]): Answer {
  if (request.headers['x-auth-token'] === undefined) return UNAUTHORIZED;
  return { status: 200, body: JSON.stringify(version === 2 ? { tenants: projects, tenants_links: [] } : { links: {}, projects }) };
}

function regions(storageUrl: string): readonly (readonly [string, string])[] {
  return [
    ['Elsewhere', 'http://127.0.0.1:1/v1/AUTH_x'],
    [KEYSTONE_REGION, storageUrl],
  ];
}

function isSame(wanted: Named | undefined, actual: { readonly id: string; readonly name: string }): boolean {
  return wanted !== undefined && (wanted.id === actual.id || wanted.name === actual.name);
}

async function tempauthToken({ swiftHost, swiftUser, swiftKey }: KeystoneDoubleOptions): Promise<{ token: string; storageUrl: string }> {
  const response = await fetch(`http://${swiftHost}/auth/v1.0`, { headers: { 'x-auth-user': swiftUser, 'x-auth-key': swiftKey } });
  return { token: response.headers.get('x-auth-token') ?? '', storageUrl: response.headers.get('x-storage-url') ?? '' };
}
