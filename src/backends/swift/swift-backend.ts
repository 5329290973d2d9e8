/**
 * A container of OpenStack Swift as a Backend: the payload is the body, the metadata is in headers (S3QL format 2.10). Swift's If-None-Match
 * with PUT is not atomic between its servers: conditions are not offered.
 */
import { createHash } from 'node:crypto';
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
import { requireConditions } from '../conditions.ts';
import { NoSuchObjectError } from '../errors.ts';
import { expectEtag } from '../http/etag.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { encodePath } from '../http/percent-encoding.ts';
import { rangeHeader, sliceOf, totalSizeBytes } from '../http/ranges.ts';
import { metadataFromHeaders, metadataToHeaders, type HeaderLayout } from '../metadata-headers.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { bulkDelete } from './bulk-delete.ts';
import { expectContainer, noSuchContainer } from './swift-container.ts';
import type { SwiftConnection } from './swift-connection.ts';
import { swiftError } from './swift-errors.ts';
import type { SwiftFeatures } from './swift-features.ts';
import { listSwift } from './swift-list.ts';

export interface SwiftBackendOptions {
  readonly url: string;
  readonly connection: SwiftConnection;
  readonly container: string;
  readonly prefix: string;
  readonly features: SwiftFeatures;
  readonly maxConnections: number;
}

export class SwiftBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #connection: SwiftConnection;
  readonly #container: string;
  readonly #prefix: string;
  readonly #layout: HeaderLayout;
  readonly #maxConnections: number;

  constructor({ url, connection, container, prefix, features, maxConnections }: SwiftBackendOptions) {
    this.url = url;
    this.#connection = connection;
    this.#container = container;
    this.#prefix = prefix;
    this.#layout = { prefix: 'x-object-meta-', ...(features.maxValueChars === undefined ? {} : { maxValueChars: features.maxValueChars }) };
    this.#maxConnections = maxConnections;
    this.capabilities = {
      conditionalCreate: false,
      conditionalReplace: false,
      range: true,
      batchDelete: features.batchDelete,
      serverCopy: true,
    };
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    requireConditions(this, options);
    const headers = {
      'content-type': 'application/octet-stream',
      ...metadataToHeaders(metadata, this.#layout),
      // Within TLS nothing gets changed unnoticed.
      ...(this.#connection.plain ? { etag: md5(payload) } : {}),
    };
    const response = await this.#connection.send({ ...this.#object(key), method: 'PUT', headers, body: payload, signal: options.signal });
    if (response.status === 404) throw noSuchContainer(this.#connection, this.#container);
    if (response.status !== 201) throw swiftError(response, this.#connection.host);
    return { storedSizeBytes: totalBytes(payload) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    if (range?.lengthBytes === 0) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const headers = range === undefined ? {} : rangeHeader(range);
    const response = await this.#connection.send({ ...this.#object(key), method: 'GET', headers, signal });
    // Nothing of the object lies within the range.
    if (response.status === 416) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const stat = await this.#stat(key, response);
    // An empty object is sent whole whatever the range.
    const whole = range !== undefined && response.status === 200;
    return { ...stat, payload: whole ? sliceOf(response.body, range) : response.body };
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    return this.#stat(key, await this.#connection.send({ ...this.#object(key), method: 'HEAD', signal: options.signal }));
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    const response = await this.#connection.send({ ...this.#object(key), method: 'DELETE', signal: options.signal });
    if (!isSuccess(response.status) && response.status !== 404) throw swiftError(response, this.#connection.host);
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    const { batchDelete } = this.capabilities;
    if (batchDelete === 1) {
      await forEachLimit(keys, this.#maxConnections, (key) => this.delete(key, options), options.signal);
      return;
    }
    for (let at = 0; at < keys.length; at += batchDelete) {
      const objects = keys.slice(at, at + batchDelete).map((key) => this.#prefix + key);
      await bulkDelete(this.#connection, this.#container, objects, options.signal);
    }
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    const headers = { 'x-copy-from': encodePath(`/${this.#container}/${this.#prefix}${source}`) };
    const response = await this.#connection.send({ ...this.#object(target), method: 'PUT', headers, body: [], signal: options.signal });
    if (response.status === 404) {
      await expectContainer(this.#connection, this.#container);
      throw new NoSuchObjectError(source);
    }
    if (!isSuccess(response.status)) throw swiftError(response, this.#connection.host);
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    for await (const { name, bytes } of listSwift(this.#connection, this.#container, this.#prefix + prefix, options.signal)) {
      yield { key: name.slice(this.#prefix.length), storedSizeBytes: bytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  #object(key: string): { readonly container: string; readonly object: string } {
    return { container: this.#container, object: this.#prefix + key };
  }

  async #stat(key: string, response: HttpResponse): Promise<ObjectStat> {
    if (response.status === 404) {
      // Swift answers the same when the container is gone.
      await expectContainer(this.#connection, this.#container);
      throw new NoSuchObjectError(key);
    }
    if (!isSuccess(response.status)) throw swiftError(response, this.#connection.host);
    expectEtag(response, this.#connection.host);
    const lastModifiedMs = Date.parse(response.headers['last-modified'] ?? '');
    return {
      metadata: metadataFromHeaders(response.headers, this.#layout, key),
      storedSizeBytes: totalSizeBytes(response),
      ...(Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs }),
    };
  }
}

function md5(parts: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
