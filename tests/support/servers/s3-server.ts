/**
 * An S3 server in memory: signatures checked strictly, versions 1 and 2 of listing, multiple deletion, conditional requests, regions, both
 * address styles, and switches for what lesser stores lack.
 */
import { createHash } from 'node:crypto';
import { type Answer, type Handler, LoopbackServer, type ServedRequest } from './loopback-server.ts';
import { checkSignature, type S3Account } from './s3-signature-check.ts';
import type { TestCertificate } from './test-certificates.ts';

export interface S3ServerOptions {
  readonly accounts?: readonly S3Account[];
  readonly buckets?: readonly string[];
  readonly region?: string;
  readonly signatureVersion?: 2 | 4;
  /** Hosts whose first label is a bucket: the rest of the name. */
  readonly virtualHostSuffix?: string;
  readonly certificate?: TestCertificate;
  /** What this server cannot do. */
  readonly lacks?: readonly ('list-v2' | 'delete-many' | 'conditional-put' | 'range')[];
  readonly pageSize?: number;
}

interface S3Object {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly modified: Date;
}

export const TEST_ACCOUNT: S3Account = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret/key+with=signs' };

const KEPT_HEADERS: ReadonlySet<string> = new Set(['content-type', 'x-amz-storage-class', 'x-amz-server-side-encryption']);
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export class S3Server implements AsyncDisposable {
  /** By bucket and name. */
  readonly buckets: Map<string, Map<string, S3Object>> = new Map();
  readonly http: LoopbackServer;
  /** May be changed while running. */
  accounts: readonly S3Account[];
  region: string;
  /** Added to the server's clock. */
  clockOffsetMs: number = 0;
  /** Key ids that may do nothing. */
  readonly denied: Set<string> = new Set();
  /** What is left until the store is full. */
  quotaBytes: number = Number.POSITIVE_INFINITY;
  readonly #options: S3ServerOptions;

  private constructor(http: LoopbackServer, options: S3ServerOptions) {
    this.http = http;
    this.#options = options;
    this.accounts = options.accounts ?? [TEST_ACCOUNT];
    this.region = options.region ?? 'us-east-1';
    for (const name of options.buckets ?? ['bucket']) this.buckets.set(name, new Map());
  }

  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    let started: S3Server | undefined;
    const handler: Handler = (request) => {
      if (started === undefined) return { status: 503 };
      const { status, headers, body = '' } = started.handle(request);
      return { status, headers: { date: new Date(Date.now() + started.clockOffsetMs).toUTCString(), ...headers }, body };
    };
    const http = await LoopbackServer.start(handler, options.certificate);
    started = new S3Server(http, options);
    return started;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${this.http.port}`;
  }

  /** The names of all objects of a bucket. */
  names(bucket: string = 'bucket'): string[] {
    return [...(this.buckets.get(bucket)?.keys() ?? [])].toSorted(byteOrder);
  }

  /** Empties a bucket. */
  clear(bucket: string = 'bucket'): void {
    this.buckets.get(bucket)?.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.http[Symbol.asyncDispose]();
  }

  private handle(request: ServedRequest): Answer {
    const hostBucket = this.#hostBucket(request);
    const [bucketName, name] = hostBucket === undefined ? splitPath(request.path) : [hostBucket, decodeURIComponent(request.path.slice(1))];
    const refusal = checkSignature(request, {
      accounts: this.accounts,
      region: this.region,
      signatureVersion: this.#options.signatureVersion ?? 4,
      nowMs: Date.now() + this.clockOffsetMs,
      hostBucket,
    });
    if (refusal !== undefined)
      return errorAnswer(refusal.status, refusal.code, refusal.message, refusal.region === undefined ? {} : { Region: refusal.region });
    if ([...this.denied].some((id) => request.headers.authorization?.includes(id)))
      return errorAnswer(403, 'AccessDenied', 'Access Denied');
    const bucket = this.buckets.get(bucketName);
    if (bucket === undefined) return errorAnswer(404, 'NoSuchBucket', 'The specified bucket does not exist');
    if (name === '') return this.#bucketRequest(request, bucket);
    return this.#objectRequest(request, bucket, name);
  }

  #hostBucket(request: ServedRequest): string | undefined {
    const suffix = this.#options.virtualHostSuffix;
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    return suffix !== undefined && host.endsWith(`.${suffix}`) ? host.slice(0, -suffix.length - 1) : undefined;
  }

  #bucketRequest(request: ServedRequest, bucket: Map<string, S3Object>): Answer {
    if (request.method === 'GET') return this.#list(request.query, bucket);
    if (request.method === 'POST' && request.query.has('delete')) return this.#deleteMany(request, bucket);
    return errorAnswer(405, 'MethodNotAllowed', request.method);
  }

  #objectRequest(request: ServedRequest, bucket: Map<string, S3Object>, name: string): Answer {
    const object = bucket.get(name);
    switch (request.method) {
      case 'PUT':
        return request.headers['x-amz-copy-source'] === undefined ? this.#put(request, bucket, name) : this.#copy(request, bucket, name);
      case 'DELETE':
        bucket.delete(name);
        return { status: 204 };
      case 'GET':
      case 'HEAD':
        return object === undefined
          ? errorAnswer(404, 'NoSuchKey', 'The specified key does not exist.', { Key: name })
          : this.#get(request, object);
      default:
        return errorAnswer(405, 'MethodNotAllowed', request.method);
    }
  }

  #copy(request: ServedRequest, bucket: Map<string, S3Object>, name: string): Answer {
    const [sourceBucket, sourceName] = splitPath(`/${String(request.headers['x-amz-copy-source']).replace(/^\//, '')}`);
    const source = this.buckets.get(sourceBucket)?.get(sourceName);
    if (source === undefined) return errorAnswer(404, 'NoSuchKey', 'The specified key does not exist.', { Key: sourceName });
    if (request.body.byteLength > 0) return errorAnswer(400, 'InvalidRequest', 'A copy has no body.');
    bucket.set(name, source);
    return {
      status: 200,
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult><ETag>${source.etag}</ETag></CopyObjectResult>`,
    };
  }

  #put(request: ServedRequest, bucket: Map<string, S3Object>, name: string): Answer {
    const current = bucket.get(name);
    if (!this.#lacks('conditional-put')) {
      const ifMatch = request.headers['if-match'];
      if (request.headers['if-none-match'] === '*' && current !== undefined) return errorAnswer(412, 'PreconditionFailed', 'exists');
      if (ifMatch !== undefined && current === undefined) return errorAnswer(404, 'NoSuchKey', 'The specified key does not exist.');
      if (ifMatch !== undefined && ifMatch !== current?.etag) return errorAnswer(412, 'PreconditionFailed', 'changed');
    }
    if (request.body.byteLength > this.quotaBytes) return errorAnswer(403, 'QuotaExceeded', 'full');
    this.quotaBytes -= request.body.byteLength;
    const metadata = Object.entries(request.headers).filter(([header]) => header.startsWith('x-amz-meta-') || KEPT_HEADERS.has(header));
    const metadataBytes = metadata.reduce(
      (sum, [header, value]) => (header.startsWith('x-amz-meta-') ? sum + header.length - 11 + String(value).length : sum),
      0,
    );
    if (metadataBytes > 2048) return errorAnswer(400, 'MetadataTooLarge', `${metadataBytes} bytes`);
    // As with SSE-KMS: no MD5 of the body.
    const etag = `"${createHash('sha1').update(request.body).update(String(this.http.requests.length)).digest('hex').slice(0, 32)}"`;
    bucket.set(name, { body: request.body, headers: Object.fromEntries(metadata) as Record<string, string>, etag, modified: new Date() });
    return { status: 200, headers: { etag } };
  }

  #get(request: ServedRequest, object: S3Object): Answer {
    const headers = { ...object.headers, etag: object.etag, 'last-modified': object.modified.toUTCString() };
    const size = object.body.byteLength;
    const range = this.#lacks('range') ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) return { status: 200, headers: { ...headers, 'content-length': String(size) }, body: object.body };
    const start = Number(range[1]);
    if (start >= size) return errorAnswer(416, 'InvalidRange', 'The requested range is not satisfiable');
    const body = object.body.subarray(start, Number(range[2]) + 1);
    return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${start + body.byteLength - 1}/${size}` }, body };
  }

  #list(query: URLSearchParams, bucket: Map<string, S3Object>): Answer {
    const v2 = query.get('list-type') === '2' && !this.#lacks('list-v2');
    const prefix = query.get('prefix') ?? '';
    const limit = Math.min(Number(query.get('max-keys') ?? 1000), this.#options.pageSize ?? 1000);
    const token = query.get('continuation-token');
    const after = v2 ? (token === null ? '' : Buffer.from(token, 'base64').toString()) : (query.get('marker') ?? '');
    const names = [...bucket.keys()].filter((name) => name.startsWith(prefix) && byteOrder(name, after) > 0).toSorted(byteOrder);
    const page = names.slice(0, limit);
    const last = page.at(-1);
    const truncated = names.length > page.length;
    const contents = page.map((name) => {
      const object = bucket.get(name);
      return `<Contents><Key>${escape(name)}</Key><LastModified>${object?.modified.toISOString()}</LastModified><ETag>${escape(object?.etag ?? '')}</ETag><Size>${object?.body.byteLength}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const next = v2 && truncated ? `<NextContinuationToken>${Buffer.from(last ?? '').toString('base64')}</NextContinuationToken>` : '';
    return xmlAnswer(
      200,
      `<ListBucketResult xmlns="${NAMESPACE}"><Name>bucket</Name><Prefix>${escape(prefix)}</Prefix>${v2 ? `<KeyCount>${page.length}</KeyCount>` : '<Marker></Marker>'}<MaxKeys>${limit}</MaxKeys><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }

  #deleteMany(request: ServedRequest, bucket: Map<string, S3Object>): Answer {
    if (this.#lacks('delete-many')) return errorAnswer(501, 'NotImplemented', 'multiple deletion');
    if (request.headers['content-md5'] === undefined)
      return errorAnswer(400, 'InvalidRequest', 'Missing required header for this request: Content-MD5');
    const names = [...request.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescape(match[1] ?? ''));
    if (names.length === 0 || names.length > 1000) return errorAnswer(400, 'MalformedXML', `${names.length} keys`);
    for (const name of names) bucket.delete(name);
    return xmlAnswer(200, `<DeleteResult xmlns="${NAMESPACE}"/>`);
  }

  #lacks(feature: 'list-v2' | 'delete-many' | 'conditional-put' | 'range'): boolean {
    return this.#options.lacks?.includes(feature) === true;
  }
}

function splitPath(path: string): [string, string] {
  const match = /^\/([^/]*)\/?(.*)$/s.exec(path);
  return [decodeURIComponent(match?.[1] ?? ''), decodeURIComponent(match?.[2] ?? '')];
}

/** An error as S3 sends it. */
export function errorAnswer(status: number, code: string, message: string, extra: Readonly<Record<string, string>> = {}): Answer {
  const more = Object.entries(extra).map(([name, value]) => `<${name}>${escape(value)}</${name}>`);
  return xmlAnswer(
    status,
    `<Error><Code>${code}</Code><Message>${escape(message)}</Message>${more.join('')}<RequestId>4442587FB7D0A2F9</RequestId></Error>`,
  );
}

function xmlAnswer(status: number, xml: string): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0" encoding="UTF-8"?>\n${xml}` };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\r', '&#13;');
}

function unescape(text: string): string {
  return text
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
