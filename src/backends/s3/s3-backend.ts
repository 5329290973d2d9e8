/** A bucket of the S3 family as a Backend: the payload is the body, the metadata is in headers (S3QL format 2.10). */
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
import { NoSuchContainerError, NoSuchObjectError, PreconditionFailedError } from '../errors.ts';
import { expectEtag } from '../http/etag.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { encodePath } from '../http/percent-encoding.ts';
import { rangeHeader, sliceOf, totalSizeBytes } from '../http/ranges.ts';
import { parseXml } from '../http/xml.ts';
import { metadataFromHeaders, metadataToHeaders } from '../metadata-headers.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import type { S3Connection } from './s3-connection.ts';
import { deleteManyS3 } from './s3-delete-many.ts';
import { s3ErrorCode } from './s3-errors.ts';
import { listS3 } from './s3-list.ts';
import type { S3Quirks } from './s3-quirks.ts';

const HEADERS = { prefix: 'x-amz-meta-' };

export interface S3BackendOptions {
  readonly url: string;
  readonly connection: S3Connection;
  readonly quirks: S3Quirks;
  readonly conditionalCreate: boolean;
  readonly conditionalReplace: boolean;
  /** Sent with every object: storage class, server-side encryption. */
  readonly objectHeaders: Readonly<Record<string, string>>;
  readonly maxConnections: number;
}

export class S3Backend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #connection: S3Connection;
  readonly #quirks: S3Quirks;
  readonly #objectHeaders: Readonly<Record<string, string>>;
  readonly #maxConnections: number;
  /** Until the store says that it does not know multiple deletion. */
  #deletesMany: boolean;

  constructor(options: S3BackendOptions) {
    this.url = options.url;
    this.#connection = options.connection;
    this.#quirks = options.quirks;
    this.#objectHeaders = options.objectHeaders;
    this.#maxConnections = options.maxConnections;
    this.#deletesMany = options.quirks.batchDelete > 1;
    this.capabilities = {
      conditionalCreate: options.conditionalCreate,
      conditionalReplace: options.conditionalReplace,
      range: true,
      batchDelete: options.quirks.batchDelete,
      serverCopy: true,
    };
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    requireConditions(this, options);
    const headers = {
      'content-type': 'application/octet-stream',
      ...this.#objectHeaders,
      ...metadataToHeaders(metadata, HEADERS),
      ...(options.ifAbsent === true ? { 'if-none-match': '*' } : {}),
      ...(options.ifVersion === undefined ? {} : { 'if-match': options.ifVersion }),
    };
    const request = { method: 'PUT', key, headers, body: payload, signal: options.signal } as const;
    const response = await this.#connection.send(request);
    // An object that is to be replaced but is gone.
    if (response.status === 404 && options.ifVersion !== undefined && s3ErrorCode(response) !== 'NoSuchBucket') {
      throw new PreconditionFailedError(`object ${key} does not exist any more`);
    }
    if (response.status !== 200) throw await this.#connection.error(request, response);
    expectEtag(response, new URL(this.#connection.location.origin).host);
    const storedSizeBytes = totalBytes(payload);
    return { storedSizeBytes, ...this.#version(response) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    if (range?.lengthBytes === 0) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const request = { method: 'GET', key, headers: range === undefined ? {} : rangeHeader(range), signal } as const;
    const response = await this.#connection.send(request);
    // Nothing of the object lies within the range.
    if (response.status === 416) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    await this.#expectObject(request, response);
    const payload = range !== undefined && response.status === 200 ? sliceOf(response.body, range) : response.body;
    return { ...this.#stat(key, response), payload };
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    const request = { method: 'HEAD', key, signal: options.signal } as const;
    const response = await this.#connection.send(request);
    await this.#expectObject(request, response);
    return this.#stat(key, response);
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    const request = { method: 'DELETE', key, signal: options.signal } as const;
    const response = await this.#connection.send(request);
    if (response.status === 204 || response.status === 200) return;
    const error = await this.#connection.error(request, response);
    if (response.status !== 404 || error instanceof NoSuchContainerError) throw error;
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    for (let at = 0; at < keys.length && this.#deletesMany; at += this.#quirks.batchDelete) {
      const batch = keys.slice(at, at + this.#quirks.batchDelete);
      this.#deletesMany = await deleteManyS3(this.#connection, batch, options.signal);
    }
    if (!this.#deletesMany) await forEachLimit(keys, this.#maxConnections, (key) => this.delete(key, options));
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    const { bucket, prefix } = this.#connection.location;
    const headers = { ...this.#objectHeaders, 'x-amz-copy-source': encodePath(`/${bucket}/${prefix}${source}`) };
    const request = { method: 'PUT', key: target, headers, signal: options.signal } as const;
    const response = await this.#connection.send(request);
    // A copy may fail after the answer has begun.
    if (response.status === 200 && parseXml(response.body, 'Error') === undefined) return;
    const error = await this.#connection.error(request, response);
    throw response.status === 404 && !(error instanceof NoSuchContainerError) ? new NoSuchObjectError(source, { cause: error }) : error;
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const base = this.#connection.location.prefix;
    for await (const object of listS3(this.#connection, base + prefix, this.#quirks.listVersion, options.signal)) {
      yield { key: object.name.slice(base.length), storedSizeBytes: object.sizeBytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  async #expectObject(request: { readonly method: 'GET' | 'HEAD'; readonly key: string }, response: HttpResponse): Promise<void> {
    if (response.status === 200 || response.status === 206) return expectEtag(response, new URL(this.#connection.location.origin).host);
    const error = await this.#connection.error(request, response);
    throw response.status === 404 && !(error instanceof NoSuchContainerError)
      ? new NoSuchObjectError(request.key, { cause: error })
      : error;
  }

  #stat(key: string, response: HttpResponse): ObjectStat {
    const lastModifiedMs = Date.parse(response.headers['last-modified'] ?? '');
    return {
      metadata: metadataFromHeaders(response.headers, HEADERS, key),
      storedSizeBytes: totalSizeBytes(response),
      ...this.#version(response),
      ...(Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs }),
    };
  }

  #version(response: HttpResponse): { readonly version?: string } {
    const etag = response.headers['etag'];
    return this.capabilities.conditionalReplace && etag !== undefined ? { version: etag } : {};
  }
}
