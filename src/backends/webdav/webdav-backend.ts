/**
 * A collection of a WebDAV server as a Backend, laid out as local:// does it: what one writes the other reads.
 *
 * An object is put under a temporary name and moved to its own: nothing but whole objects is ever seen under a key. Servers may delete the
 * target of a MOVE first, so that a replaced object is gone for a moment, or for good if the server dies: see replacements.ts. WebDAV knows no
 * way to ask for durability; a server answers when the file is written.
 */
import { basename, dirname, join } from 'node:path/posix';
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
import { BackendError, CorruptedObjectError, NoSuchContainerError, NoSuchObjectError } from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { isSuccess } from '../http/http-status.ts';
import { encodePath } from '../http/percent-encoding.ts';
import { rangeHeader, sliceOf, totalSizeBytes } from '../http/ranges.ts';
import { listLayout } from '../local/list-layout.ts';
import { decodeMetadata, encodeHeader, payloadOffset } from '../local/object-file.ts';
import { objectPath } from '../local/object-path.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { replacedName, replacementName, temporaryName } from './replacements.ts';
import { isTransferred, type WebdavConnection } from './webdav-connection.ts';

/** Holds magic, length and metadata of any object that S3QL or we write. */
const FIRST_READ_BYTES = 4096;
/** An object that is replaced during each of so many reads is not one of ours. */
const MAX_ATTEMPTS = 10;
/** How often nothing must be found: a listing may miss what is renamed while it is made. */
const LOOKS_FOR_MISSING = 3;

export interface WebdavBackendOptions {
  readonly url: string;
  readonly connection: WebdavConnection;
  /** Path of the store's collection, percent-encoded, with slashes at both ends. */
  readonly root: string;
  readonly maxConnections: number;
}

export class WebdavBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities = {
    // Servers look first and move then.
    conditionalCreate: false,
    conditionalReplace: false,
    range: true,
    batchDelete: 1,
    serverCopy: true,
  };
  readonly #connection: WebdavConnection;
  readonly #root: string;
  readonly #maxConnections: number;
  /** Collections that are being made: servers refuse a second request for what the first is at. */
  readonly #making = new Map<string, Promise<void>>();

  constructor({ url, connection, root, maxConnections }: WebdavBackendOptions) {
    this.url = url;
    this.#connection = connection;
    this.#root = root;
    this.#maxConnections = maxConnections;
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const { signal } = options;
    requireConditions(this, options);
    const parts = [encodeHeader(metadata), ...payload];
    await this.#place(key, signal, (temporary) => this.#put(temporary, parts, signal));
    return { storedSizeBytes: totalBytes(parts) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    if (range === undefined) return this.#fetchWhole(key, signal);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const { first, metadata, payloadStart, stat } = await this.#header(key, signal);
      const offset = Math.min(payloadStart + range.offset, stat.storedSizeBytes);
      const lengthBytes = Math.min(range.lengthBytes, stat.storedSizeBytes - offset);
      if (lengthBytes === 0 || offset + lengthBytes <= first.body.byteLength) {
        return { ...stat, metadata, payload: first.body.slice(offset, offset + lengthBytes) };
      }
      const { response } = await this.#get(key, rangeHeader({ offset, lengthBytes }), signal);
      const payload = response.status === 206 ? response.body : sliceOf(response.body, { offset, lengthBytes });
      if (isSameVersion(first, response)) return { ...stat, metadata, payload };
    }
    throw new BackendError(`object ${key} is replaced faster than it can be read`, { temporary: true });
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    const { stat, metadata } = await this.#header(key, options.signal);
    return { ...stat, metadata };
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    const path = this.#path(key);
    // First those that wait: they would take the place of the object.
    if (mayBeReplaced(path)) {
      for (const { name } of await this.#replacements(path, options.signal)) await this.#remove(join(dirname(path), name), options.signal);
    }
    if (!(await this.#remove(path, options.signal))) await this.#expectRoot(options.signal);
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    // A server may refuse to delete what is being deleted.
    await forEachLimit(new Set(keys), this.#maxConnections, (key) => this.delete(key, options), options.signal);
  }

  async copy(source: string, target: string, options: RequestOptions = {}): Promise<void> {
    const { signal } = options;
    const from = this.#url(this.#path(source));
    await this.#place(target, signal, async (temporary) => {
      // Which of the two paths is missing servers tell in different ways, if at all.
      if ((await this.#connection.look(from, signal)) === undefined) {
        await this.#expectRoot(signal);
        throw new NoSuchObjectError(source);
      }
      if (dirname(temporary) !== '.') await this.#makeCollection(dirname(temporary));
      const response = await this.#connection.transfer('COPY', from, this.#url(temporary), { overwrite: true, signal });
      if (!isTransferred(response)) throw this.#connection.error(response);
    });
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const { signal } = options;
    const readDirectory = async (directory: string): Promise<{ name: string; isDirectory: boolean; sizeBytes: number | undefined }[]> => {
      const entries = await this.#connection.readCollection(this.#url(directory === '' ? '' : `${directory}/`), signal);
      if (entries === undefined) {
        await this.#expectRoot(signal);
        return [];
      }
      // One that waits while its place is empty counts as being there.
      const found = new Map(entries.map((entry) => [entry.name, entry]));
      for (const entry of entries) {
        const target = replacedName(entry.name);
        if (target !== undefined && !found.has(target)) found.set(target, { ...entry, name: target });
      }
      return [...found.values()].map(({ name, isCollection, sizeBytes }) => ({ name, isDirectory: isCollection, sizeBytes }));
    };
    for await (const { key, sizeBytes } of listLayout(readDirectory, prefix, signal)) {
      yield sizeBytes === undefined ? { key } : { key, storedSizeBytes: sizeBytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  async #fetchWhole(key: string, signal: AbortSignal | undefined): Promise<FetchedObject> {
    const path = this.#path(key);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const { response, url } = await this.#get(key, {}, signal);
      // rclone may send the size of one version with the content of the next.
      if (mayBeReplaced(path) && !isSameVersion(response, await this.#connection.send({ method: 'HEAD', path: url, signal }))) continue;
      const file = Buffer.from(response.body.buffer, response.body.byteOffset, response.body.byteLength);
      return { ...describe(response), metadata: decodeMetadata(key, file), payload: response.body.subarray(payloadOffset(key, file)) };
    }
    throw new BackendError(`object ${key} is replaced faster than it can be read`, { temporary: true });
  }

  /** Below the store's collection, not encoded. */
  #path(key: string): string {
    try {
      return objectPath(key);
    } catch (cause) {
      throw new BackendError((cause as Error).message, { cause });
    }
  }

  #url(path: string): string {
    return this.#root + encodePath(path);
  }

  /** Gives a key what `write` puts under a temporary path, all at once. */
  async #place(key: string, signal: AbortSignal | undefined, write: (temporary: string) => Promise<void>): Promise<void> {
    const path = this.#path(key);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const temporary = temporaryName(path);
      try {
        await write(temporary);
        if (await this.#rename(temporary, path, signal)) return;
      } catch (error) {
        await this.#connection.send({ method: 'DELETE', path: this.#url(temporary) }).catch(() => undefined);
        throw error;
      }
    }
    throw new BackendError(`object ${key} is deleted as often as it is stored`, { temporary: true });
  }

  /** The collection that a path lies in. */
  #collectionOf(path: string): string {
    return dirname(path) === '.' ? this.#root : this.#url(`${dirname(path)}/`);
  }

  /** Writes a new file, with the collections above it. */
  async #put(path: string, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
    const request = { method: 'PUT', path: this.#url(path), body: parts, signal } as const;
    let response = await this.#connection.send(request);
    // The collection is missing: 409 says the standard, 404 some servers.
    if ((response.status === 409 || response.status === 404) && dirname(path) !== '.') {
      await this.#makeCollection(dirname(path));
      response = await this.#connection.send(request);
    }
    if (response.status === 404 || response.status === 409) await this.#expectRoot(signal);
    if (!isSuccess(response.status)) throw this.#connection.error(response);
  }

  /** However many ask for it, one makes it: so nobody's signal ends it. */
  #makeCollection(path: string): Promise<void> {
    let making = this.#making.get(path);
    if (making === undefined) {
      making = this.#makeNewCollection(path).finally(() => this.#making.delete(path));
      this.#making.set(path, making);
    }
    return making;
  }

  async #makeNewCollection(path: string): Promise<void> {
    const make = (): Promise<HttpResponse> => this.#connection.send({ method: 'MKCOL', path: this.#url(`${path}/`) });
    let response = await make();
    if (response.status === 409 || response.status === 404) {
      if (dirname(path) === '.') await this.#expectRoot(undefined);
      else await this.#makeCollection(dirname(path));
      response = await make();
    }
    // 405: it exists.
    if (!isSuccess(response.status) && response.status !== 405) throw this.#connection.error(response);
  }

  /** Gives a complete file its name. @returns false if somebody deleted it meanwhile, as an object that was to be replaced */
  async #rename(temporary: string, path: string, signal: AbortSignal | undefined): Promise<boolean> {
    const move = (from: string, to: string, overwrite: boolean): Promise<HttpResponse> =>
      this.#connection.transfer('MOVE', this.#url(from), this.#url(to), { overwrite, signal });
    let response = await move(temporary, path, false);
    if (response.status === 412) {
      const waiting = replacementName(path);
      response = await move(temporary, waiting, false);
      if (isTransferred(response)) response = await move(waiting, path, true);
    }
    if (response.status === 404) {
      await this.#expectRoot(signal);
      return false;
    }
    if (!isTransferred(response)) throw this.#connection.error(response);
    return true;
  }

  /** @returns whether there was something */
  async #remove(path: string, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await this.#connection.send({ method: 'DELETE', path: this.#url(path), signal });
    if (isSuccess(response.status)) return true;
    if (response.status === 404) return false;
    throw this.#connection.error(response);
  }

  /** A successful answer to GET, from the object or from the one that is about to take its place. */
  async #get(
    key: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly response: HttpResponse; readonly url: string }> {
    const path = this.#path(key);
    let source = path;
    let misses = 0;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const url = this.#url(source);
      const response = await this.#connection.send({ method: 'GET', path: url, headers, signal });
      // Objects are no pages of HTML: those are a portal's or proxy's, not a damaged object.
      if (isSuccess(response.status) && /^text\/html/i.test(response.headers['content-type'] ?? '')) {
        throw new BackendError(`something else than the store answered for ${this.#connection.host}`, { temporary: true });
      }
      if (isSuccess(response.status)) return { response, url };
      if (response.status === 416) throw new CorruptedObjectError(`object ${key} is truncated: 0 bytes`);
      if (response.status !== 404) throw this.#connection.error(response);
      const directory = (await this.#connection.readCollection(this.#collectionOf(path), signal)) ?? [];
      const latest = this.#waiting(directory, path).at(-1);
      if (directory.some(({ name }) => name === basename(path))) source = path;
      else if (latest !== undefined) source = join(dirname(path), latest.name);
      else {
        source = path;
        misses += 1;
        if (misses === 1) await this.#expectRoot(signal);
        if (misses === LOOKS_FOR_MISSING) throw new NoSuchObjectError(key);
      }
    }
    throw new BackendError(`object ${key} is replaced faster than it can be read`, { temporary: true });
  }

  async #replacements(path: string, signal: AbortSignal | undefined): Promise<{ readonly name: string }[]> {
    return this.#waiting((await this.#connection.readCollection(this.#collectionOf(path), signal)) ?? [], path);
  }

  /** Those of a collection's entries that will be `path`, the latest last. */
  #waiting(entries: readonly { readonly name: string }[], path: string): { readonly name: string }[] {
    return entries.filter(({ name }) => replacedName(name) === basename(path)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The beginning of an object's file, with one request unless the metadata is unusually large. */
  async #header(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly first: HttpResponse;
    readonly metadata: ObjectMetadata;
    readonly payloadStart: number;
    readonly stat: Omit<ObjectStat, 'metadata'>;
  }> {
    let { response: first } = await this.#get(key, rangeHeader({ offset: 0, lengthBytes: FIRST_READ_BYTES }), signal);
    const payloadStart = payloadOffset(key, Buffer.from(first.body));
    if (payloadStart > first.body.byteLength && first.body.byteLength === FIRST_READ_BYTES) {
      ({ response: first } = await this.#get(key, rangeHeader({ offset: 0, lengthBytes: payloadStart }), signal));
    }
    const metadata = decodeMetadata(key, Buffer.from(first.body));
    return { first, metadata, payloadStart: payloadOffset(key, Buffer.from(first.body)), stat: describe(first) };
  }

  /** A missing object is told from a store that is not there any more. @throws NoSuchContainerError */
  async #expectRoot(signal: AbortSignal | undefined): Promise<void> {
    if ((await this.#connection.look(this.#root, signal)) === undefined) {
      throw new NoSuchContainerError(`the collection ${this.#root} is gone from ${this.#connection.host}`);
    }
  }
}

/** Data objects are written once: nobody replaces them but with themselves. */
function mayBeReplaced(path: string): boolean {
  return dirname(path) === '.';
}

/** Whether two answers are about one version of a file, as far as the server tells. */
function isSameVersion(a: HttpResponse, b: HttpResponse): boolean {
  return (['etag', 'last-modified'] as const).every((name) => {
    const [first, second] = [a.headers[name], b.headers[name]];
    // A weak validator becomes a strong one when the file is a second old.
    return first === undefined || second === undefined || first.replace(/^W\//, '') === second.replace(/^W\//, '');
  });
}

function describe(response: HttpResponse): { readonly storedSizeBytes: number; readonly lastModifiedMs?: number } {
  const lastModifiedMs = Date.parse(response.headers['last-modified'] ?? '');
  return { storedSizeBytes: totalSizeBytes(response), ...(Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs }) };
}
