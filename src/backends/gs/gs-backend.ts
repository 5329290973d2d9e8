/**
 * A bucket of Google Cloud Storage as a Backend. An object and its metadata are written with one request and read with two, which run at the
 * same time; that both saw the same object its generation tells. Generations are the versions of conditional requests, too.
 * https://cloud.google.com/storage/docs/json_api/v1/objects
 */
import { randomBytes } from 'node:crypto';
import { totalBytes } from '../../util/total-bytes.ts';
import { forEachLimit } from '../../util/for-each-limit.ts';
import type {
  Backend,
  Capabilities,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectStat,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from '../backend.ts';
import { BackendError, NoSuchObjectError } from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { ListingPages } from '../http/listing-pages.ts';
import { parseJson } from '../http/json.ts';
import { encodeComponent } from '../http/percent-encoding.ts';
import { rangeHeader, sliceOf } from '../http/ranges.ts';
import { metadataFromMap, metadataToMap } from '../metadata-headers.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import type { GsConnection } from './gs-connection.ts';
import { gsError, isMissingBucket } from './gs-errors.ts';
import type { GsLocation } from './gs-location.ts';

const API = '/storage/v1';
const PAGE_SIZE = 1000;
/** An object that is replaced during each of so many reads is not one of ours. */
const MAX_FETCH_ATTEMPTS = 10;
const STAT_FIELDS = 'generation,metadata,size,updated';

/** An object of the interface, as far as we ask for it. */
interface ObjectResource {
  readonly generation?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly size?: string;
  readonly updated?: string;
}

interface RewritePart {
  readonly done?: boolean;
  readonly rewriteToken?: string;
}

interface ListPage {
  readonly items?: readonly { readonly name?: string; readonly size?: string }[];
  readonly nextPageToken?: string;
}

export class GsBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    range: true,
    batchDelete: 1,
    serverCopy: true,
  };
  readonly #connection: GsConnection;
  readonly #location: GsLocation;
  readonly #maxConnections: number;

  constructor(url: string, connection: GsConnection, location: GsLocation, maxConnections: number) {
    this.url = url;
    this.#connection = connection;
    this.#location = location;
    this.#maxConnections = maxConnections;
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const { bucket, prefix } = this.#location;
    const boundary = `s3ql-${randomBytes(16).toString('hex')}`;
    const resource = JSON.stringify({ name: prefix + key, metadata: metadataToMap(metadata) });
    const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${resource}\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`;
    // Generation 0 is an object that does not exist.
    const generation = options.ifAbsent === true ? '0' : options.ifVersion;
    const response = await this.#connection.send({
      method: 'POST',
      path: `/upload/storage/v1/b/${encodeComponent(bucket)}/o`,
      query: { uploadType: 'multipart', fields: STAT_FIELDS, ...(generation === undefined ? {} : { ifGenerationMatch: generation }) },
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: [Buffer.from(head, 'utf8'), ...payload, Buffer.from(`\r\n--${boundary}--\r\n`, 'ascii')],
      signal: options.signal,
    });
    const stored = this.#resource(response);
    const storedSizeBytes = totalBytes(payload);
    if (stored.size !== String(storedSizeBytes)) {
      throw new BackendError(`Google stored ${stored.size} bytes of object ${key} instead of ${storedSizeBytes}`, { temporary: true });
    }
    return { storedSizeBytes, ...version(stored) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    if (range?.lengthBytes === 0) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const media = { query: { alt: 'media' }, headers: range === undefined ? {} : rangeHeader(range), signal };
    for (let attempt = 1; attempt <= MAX_FETCH_ATTEMPTS; attempt += 1) {
      const [resource, content] = await Promise.all([this.#get(key, { query: { fields: STAT_FIELDS }, signal }), this.#get(key, media)]);
      const stat = this.#stat(key, resource);
      // Nothing of the object lies within the range.
      if (content.status === 416) return { ...stat, payload: new Uint8Array(0) };
      if (content.status !== 404) this.#expectSuccess(content);
      if (content.headers['x-goog-generation'] !== this.#resource(resource).generation) continue;
      if (content.status === 206) return { ...stat, payload: content.body };
      if (content.body.byteLength !== stat.storedSizeBytes) throw new BackendError(`object ${key} came incomplete`, { temporary: true });
      return { ...stat, payload: range === undefined ? content.body : sliceOf(content.body, range) };
    }
    throw new BackendError(`object ${key} is replaced faster than it can be read`, { temporary: true });
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    return this.#stat(key, await this.#get(key, { query: { fields: STAT_FIELDS }, signal: options.signal }));
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    const response = await this.#connection.send({ method: 'DELETE', path: this.#path(key), signal: options.signal });
    if (response.status !== 404 || isMissingBucket(response)) this.#expectSuccess(response);
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    await forEachLimit(keys, this.#maxConnections, (key) => this.delete(key, options), options.signal);
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    const path = `${this.#path(source)}/rewriteTo${this.#path(target).slice(API.length)}`;
    for (let rewriteToken: string | undefined = ''; rewriteToken !== undefined;) {
      const query: Record<string, string> = { fields: 'done,rewriteToken', ...(rewriteToken === '' ? {} : { rewriteToken }) };
      const response = await this.#connection.send({ method: 'POST', path, query, signal: options.signal });
      if (response.status === 404 && !isMissingBucket(response)) throw new NoSuchObjectError(source);
      this.#expectSuccess(response);
      // A large object is copied in parts.
      const part: RewritePart = parseJson<RewritePart>(response.body, 'Google');
      rewriteToken = part.done === true ? undefined : part.rewriteToken;
    }
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const { bucket, prefix: base } = this.#location;
    const path = `/storage/v1/b/${encodeComponent(bucket)}/o`;
    const query = { prefix: base + prefix, maxResults: String(PAGE_SIZE), fields: 'nextPageToken,items(name,size)' };
    const pages = new ListingPages('Google', base + prefix);
    for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
      const pageQuery: Record<string, string> = pageToken === '' ? query : { ...query, pageToken };
      const response = await this.#connection.send({ method: 'GET', path, query: pageQuery, signal: options.signal });
      this.#expectSuccess(response);
      const page: ListPage = parseJson<ListPage>(response.body, 'Google');
      const objects = (page.items ?? []).map(({ name, size }) => {
        if (name === undefined || size === undefined)
          throw new BackendError('Google lists an object without name or size', { temporary: true });
        return { name, storedSizeBytes: Number(size) };
      });
      pageToken = page.nextPageToken;
      for (const { name, storedSizeBytes } of pages.next(objects, pageToken)) yield { key: name.slice(base.length), storedSizeBytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  #path(key: string): string {
    const { bucket, prefix } = this.#location;
    return `/storage/v1/b/${encodeComponent(bucket)}/o/${encodeComponent(prefix + key)}`;
  }

  #get(
    key: string,
    request: {
      readonly query: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<HttpResponse> {
    return this.#connection.send({ method: 'GET', path: this.#path(key), ...request });
  }

  #expectSuccess(response: HttpResponse): void {
    if (!isSuccess(response.status)) throw gsError(response, this.#location.bucket);
  }

  #resource(response: HttpResponse): ObjectResource {
    this.#expectSuccess(response);
    return parseJson<ObjectResource>(response.body, 'Google');
  }

  #stat(key: string, response: HttpResponse): ObjectStat {
    if (response.status === 404 && !isMissingBucket(response)) throw new NoSuchObjectError(key);
    const resource = this.#resource(response);
    const lastModifiedMs = Date.parse(resource.updated ?? '');
    if (resource.size === undefined) throw new BackendError(`Google does not tell the size of object ${key}`, { temporary: true });
    return {
      metadata: metadataFromMap(resource.metadata ?? {}, key),
      storedSizeBytes: Number(resource.size),
      ...version(resource),
      ...(Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs }),
    };
  }
}

function version({ generation }: ObjectResource): { readonly version?: string } {
  return generation === undefined ? {} : { version: generation };
}
