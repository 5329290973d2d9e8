/**
 * Google Cloud Storage's JSON interface in memory, after its documentation, and Google's token service, which checks assertions of service
 * accounts as Google does. https://cloud.google.com/storage/docs/json_api/v1
 */
import { createHash, verify, type KeyObject } from 'node:crypto';
import { LoopbackServer, type Answer, type ServedRequest } from './loopback-server.ts';
import type { TestCertificate } from './test-certificates.ts';

interface GsObject {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly generation: string;
  readonly updated: Date;
}

export const GS_BUCKET = 'my-bucket';
const MAX_METADATA_BYTES = 8192;

export class GsServer implements AsyncDisposable {
  readonly http: LoopbackServer;
  readonly objects: Map<string, GsObject> = new Map();
  /** Tokens that are accepted. */
  readonly tokens: Set<string> = new Set();
  pageSize: number = 1000;
  #generation = 1_700_000_000_000_000;

  private constructor(http: LoopbackServer) {
    this.http = http;
  }

  static async start(certificate: TestCertificate): Promise<GsServer> {
    let started: GsServer | undefined;
    const http = await LoopbackServer.start((request) => started?.handle(request) ?? { status: 503 }, certificate);
    started = new GsServer(http);
    return started;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.http[Symbol.asyncDispose]();
  }

  private handle(request: ServedRequest): Answer {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) return gsErrorAnswer(401, 'authError', 'Invalid Credentials');
    const rewrite = /^\/storage\/v1(\/b\/[^/]+\/o\/[^/]+)\/rewriteTo(\/b\/[^/]+\/o\/[^/]+)$/.exec(request.path);
    if (rewrite !== null) return this.#rewrite(request, rewrite[1] ?? '', rewrite[2] ?? '');
    const match = /^\/(upload\/)?storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(request.path);
    if (match === null) return gsErrorAnswer(404, 'notFound', 'Not Found');
    if (decodeURIComponent(match[2] ?? '') !== GS_BUCKET) return gsErrorAnswer(404, 'notFound', 'The specified bucket does not exist.');
    if (match[1] !== undefined) return this.#upload(request);
    if (match[3] === undefined) return this.#list(request.query);
    const name = decodeURIComponent(match[3]);
    const object = this.objects.get(name);
    if (object === undefined) return gsErrorAnswer(404, 'notFound', `No such object: ${GS_BUCKET}/${name}`);
    if (request.method === 'DELETE') {
      this.objects.delete(name);
      return { status: 204 };
    }
    return request.query.get('alt') === 'media' ? media(request, object) : resourceAnswer(name, object);
  }

  /** In two parts, as Google does with large objects. */
  #rewrite(request: ServedRequest, from: string, to: string): Answer {
    const [source, target] = [from, to].map((path) => decodeURIComponent(path.slice(`/b/${GS_BUCKET}/o/`.length))) as [string, string];
    const object = this.objects.get(source);
    if (request.method !== 'POST' || object === undefined) return gsErrorAnswer(404, 'notFound', `No such object: ${GS_BUCKET}/${source}`);
    const done = request.query.get('rewriteToken') === 'second part';
    if (!done) return { status: 200, body: JSON.stringify({ done, rewriteToken: 'second part' }) };
    this.#generation += 1;
    this.objects.set(target, { ...object, generation: String(this.#generation), updated: new Date() });
    return { status: 200, body: JSON.stringify({ done }) };
  }

  #upload(request: ServedRequest): Answer {
    if (request.method !== 'POST' || request.query.get('uploadType') !== 'multipart') return gsErrorAnswer(400, 'invalid', 'uploadType');
    const parts = multipart(request);
    if (parts === undefined) return gsErrorAnswer(400, 'badContent', 'Malformed multipart body.');
    const { name, metadata = {} } = JSON.parse(parts[0].toString()) as { name: string; metadata?: Record<string, string> };
    if (Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES) return gsErrorAnswer(400, 'metadataTooLarge', 'metadata');
    const wanted = request.query.get('ifGenerationMatch');
    if (wanted !== null && wanted !== (this.objects.get(name)?.generation ?? '0')) {
      return gsErrorAnswer(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.');
    }
    this.#generation += 1;
    const object = { body: parts[1], metadata, generation: String(this.#generation), updated: new Date() };
    this.objects.set(name, object);
    return resourceAnswer(name, object);
  }

  #list(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = Buffer.from(query.get('pageToken') ?? '', 'base64').toString();
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted((a, b) => (a < b ? -1 : 1));
    const page = names.slice(0, Math.min(Number(query.get('maxResults') ?? 1000), this.pageSize));
    const items = page.map((name) => ({ name, size: String(this.objects.get(name)?.body.byteLength) }));
    const next = names.length > page.length ? { nextPageToken: Buffer.from(page.at(-1) ?? '').toString('base64') } : {};
    return json(200, { ...(items.length > 0 ? { items } : {}), ...next });
  }
}

/** An error as Google sends it. */
export function gsErrorAnswer(code: number, reason: string, message: string): Answer {
  return json(code, { error: { code, message, errors: [{ message, domain: 'global', reason }] } });
}

export interface TokenServerOptions {
  readonly certificate?: TestCertificate;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly serviceAccount?: { readonly email: string; readonly publicKey: KeyObject };
  /** What it gives out. */
  readonly nextToken: () => string;
  readonly expiresInS?: number;
  /** What a person has allowed in a browser. */
  readonly consent?: { readonly code: string; readonly codeChallenge: string; readonly redirectUri: string } | undefined;
}

/** oauth2.googleapis.com/token */
export function startTokenServer(options: TokenServerOptions): Promise<LoopbackServer> {
  const refuse = (error: string, description: string): Answer => json(400, { error, error_description: description });
  return LoopbackServer.start((request) => {
    if (request.method !== 'POST' || request.path !== '/token') return { status: 404 };
    const form = new URLSearchParams(request.body.toString());
    const granted = (): Answer =>
      json(200, { access_token: options.nextToken(), expires_in: options.expiresInS ?? 3600, token_type: 'Bearer' });
    switch (form.get('grant_type')) {
      case 'refresh_token':
        if (form.get('client_id') !== options.clientId || form.get('client_secret') !== options.clientSecret) {
          return json(401, { error: 'invalid_client', error_description: 'The OAuth client was not found.' });
        }
        return form.get('refresh_token') === options.refreshToken
          ? granted()
          : refuse('invalid_grant', 'Token has been expired or revoked.');
      case 'authorization_code': {
        const { consent } = options;
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        if (
          consent === undefined ||
          form.get('code') !== consent.code ||
          challenge !== consent.codeChallenge ||
          form.get('redirect_uri') !== consent.redirectUri
        ) {
          return refuse('invalid_grant', 'Malformed auth code.');
        }
        return json(200, {
          access_token: options.nextToken(),
          expires_in: 3600,
          token_type: 'Bearer',
          refresh_token: options.refreshToken,
        });
      }
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return assertionIsGood(form.get('assertion') ?? '', options) ? granted() : refuse('invalid_grant', 'Invalid JWT Signature.');
      default:
        return refuse('unsupported_grant_type', 'Invalid grant_type');
    }
  }, options.certificate);
}

function assertionIsGood(assertion: string, { serviceAccount }: TokenServerOptions): boolean {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  if (serviceAccount === undefined) return false;
  const content = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  const now = Date.now() / 1000;
  return (
    verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), serviceAccount.publicKey, Buffer.from(signature, 'base64url')) &&
    content['iss'] === serviceAccount.email &&
    content['aud'] === 'https://oauth2.googleapis.com/token' &&
    String(content['scope']).includes('devstorage') &&
    Math.abs(Number(content['iat']) - now) < 600 &&
    Number(content['exp']) > now
  );
}

function multipart(request: ServedRequest): [Buffer, Buffer] | undefined {
  const boundary = /^multipart\/related; boundary=(\S+)$/.exec(request.headers['content-type'] ?? '')?.[1];
  const separator = Buffer.from(`--${boundary}\r\n`);
  const { body } = request;
  if (boundary === undefined || body.indexOf(separator) !== 0) return undefined;
  const second = body.indexOf(`\r\n--${boundary}\r\n`);
  const end = body.lastIndexOf(`\r\n--${boundary}--`);
  const firstBody = body.indexOf('\r\n\r\n') + 4;
  const secondBody = body.indexOf('\r\n\r\n', second + 4) + 4;
  if (second === -1 || end < secondBody) return undefined;
  return [body.subarray(firstBody, second), body.subarray(secondBody, end)];
}

function media(request: ServedRequest, object: GsObject): Answer {
  const headers = { 'content-type': 'application/octet-stream', 'x-goog-generation': object.generation };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range === null) return { status: 200, headers, body: object.body };
  const start = Number(range[1]);
  const size = object.body.byteLength;
  if (start >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: 'Requested range not satisfiable' };
  const body = object.body.subarray(start, Number(range[2]) + 1);
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${start + body.byteLength - 1}/${size}` }, body };
}

function resourceAnswer(name: string, { body, metadata, generation, updated }: GsObject): Answer {
  return json(200, { kind: 'storage#object', name, generation, metadata, size: String(body.byteLength), updated: updated.toISOString() });
}

function json(status: number, content: object): Answer {
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: JSON.stringify(content) };
}
