/**
 * A container of Azure Blob Storage as a Backend: each object is a block blob, written by one request; the metadata is in headers. ETags are
 * the versions of conditional requests. https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
import { createHash } from 'node:crypto';
import { totalBytes } from '../../util/total-bytes.ts';
import { setTimeout } from 'node:timers/promises';
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
import { BackendError, NoSuchContainerError, NoSuchObjectError, PreconditionFailedError } from '../errors.ts';
import { expectEtag } from '../http/etag.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { rangeHeader, sliceOf, totalSizeBytes } from '../http/ranges.ts';
import { metadataFromHeaders, metadataToHeaders } from '../metadata-headers.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { deleteManyAzure, MAX_BATCH_DELETE } from './azure-batch-delete.ts';
import type { AzureConnection } from './azure-connection.ts';
import { listAzure } from './azure-list.ts';

/** Names of metadata must be identifiers: `s3ql_000`, `s3ql_format`, `s3ql_md5`. */
const HEADERS = { prefix: 'x-ms-meta-s3ql_' };
const COPY_POLL_MS = 200;

export class AzureBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    range: true,
    batchDelete: MAX_BATCH_DELETE,
    serverCopy: true,
  };
  readonly #connection: AzureConnection;
  readonly #maxConnections: number;
  /** Until the service says that it does not know batches. */
  #deletesMany = true;

  constructor(url: string, connection: AzureConnection, maxConnections: number) {
    this.url = url;
    this.#connection = connection;
    this.#maxConnections = maxConnections;
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const headers = {
      'content-type': 'application/octet-stream',
      'x-ms-blob-type': 'BlockBlob',
      ...metadataHeaders(metadata),
      // Within TLS nothing gets changed unnoticed.
      ...(this.#connection.plain ? { 'content-md5': md5(payload) } : {}),
      ...(options.ifAbsent === true ? { 'if-none-match': '*' } : {}),
      ...(options.ifVersion === undefined ? {} : { 'if-match': options.ifVersion }),
    };
    const response = await this.#connection.send({ method: 'PUT', key, headers, body: payload, signal: options.signal });
    if (response.status !== 201) {
      const error = this.#connection.error(response);
      // An object that is to be replaced but is gone.
      if (response.status !== 404 || options.ifVersion === undefined || error instanceof NoSuchContainerError) throw error;
      throw new PreconditionFailedError(`object ${key} does not exist any more`, { cause: error });
    }
    return { storedSizeBytes: totalBytes(payload), ...version(response) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    if (range?.lengthBytes === 0) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const response = await this.#connection.send({
      method: 'GET',
      key,
      headers: range === undefined ? {} : rangeHeader(range),
      signal,
    });
    // Nothing of the object lies within the range.
    if (response.status === 416) return { ...(await this.stat(key, options)), payload: new Uint8Array(0) };
    const stat = this.#stat(key, response);
    const whole = range !== undefined && response.status === 200;
    return { ...stat, payload: whole ? sliceOf(response.body, range) : response.body };
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    return this.#stat(key, await this.#connection.send({ method: 'HEAD', key, signal: options.signal }));
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    const response = await this.#connection.send({ method: 'DELETE', key, signal: options.signal });
    if (response.status === 202) return;
    const error = this.#connection.error(response);
    if (response.status !== 404 || error instanceof NoSuchContainerError) throw error;
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    // The service refuses a batch that names a blob twice.
    const rest = [...new Set(keys)];
    while (this.#deletesMany && rest.length > 0) {
      this.#deletesMany = await deleteManyAzure(this.#connection, rest.slice(0, MAX_BATCH_DELETE), options.signal);
      if (this.#deletesMany) rest.splice(0, MAX_BATCH_DELETE);
    }
    await forEachLimit(rest, this.#maxConnections, (key) => this.delete(key, options), options.signal);
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    const { signal } = options;
    const headers = { 'x-ms-copy-source': await this.#connection.sourceUrl(source) };
    let response = await this.#connection.send({ method: 'PUT', key: target, headers, signal });
    if (response.status !== 202) throw this.#failure(source, response);
    // Within an account a copy is there at once, but that is no promise.
    while (response.headers['x-ms-copy-status'] === 'pending') {
      await setTimeout(COPY_POLL_MS, undefined, { signal });
      response = await this.#connection.request({ method: 'HEAD', key: target, signal });
    }
    if (response.headers['x-ms-copy-status'] !== 'success') {
      throw new BackendError(`the copy of object ${source} has failed`, { temporary: true });
    }
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const base = this.#connection.location.prefix;
    for await (const { name, sizeBytes } of listAzure(this.#connection, base + prefix, options.signal)) {
      yield { key: name.slice(base.length), storedSizeBytes: sizeBytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  /** The error for an answer about an object that is not one of success. */
  #failure(key: string, response: HttpResponse): Error {
    const error = this.#connection.error(response);
    return response.status === 404 && !(error instanceof NoSuchContainerError) ? new NoSuchObjectError(key, { cause: error }) : error;
  }

  #stat(key: string, response: HttpResponse): ObjectStat {
    if (response.status !== 200 && response.status !== 206) {
      throw this.#failure(key, response);
    }
    expectEtag(response, this.#connection.host);
    const lastModifiedMs = Date.parse(response.headers['last-modified'] ?? '');
    return {
      metadata: metadataFromHeaders(response.headers, HEADERS, key),
      storedSizeBytes: totalSizeBytes(response),
      ...version(response),
      ...(Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs }),
    };
  }
}

/** Without spaces: whether the service folds them before it checks a signature is told in different ways. */
function metadataHeaders(metadata: ObjectMetadata): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadataToHeaders(metadata, HEADERS)).map(([name, value]) => [name, value.replaceAll(' ', '%20')]),
  );
}

function version(response: HttpResponse): { readonly version?: string } {
  const etag = response.headers['etag'];
  return etag === undefined ? {} : { version: etag };
}

function md5(parts: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('base64');
}
