/**
 * A directory behind SSH as a Backend, laid out as local:// does it: what one writes the other reads.
 *
 * An object's file is written under a temporary name, synced, renamed into place, and synced once more, which on journaling file systems makes the
 * new name durable, too (SFTP cannot sync a directory). Nothing but whole objects is ever seen under a key.
 */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path/posix';
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
import { refuseCopy, requireConditions } from '../conditions.ts';
import {
  BackendError,
  CorruptedObjectError,
  NoSpaceError,
  NoSuchContainerError,
  NoSuchObjectError,
  PreconditionFailedError,
} from '../errors.ts';
import { listLayout } from '../local/list-layout.ts';
import { decodeMetadata, encodeHeader, payloadOffset } from '../local/object-file.ts';
import { objectPath } from '../local/object-path.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { isNoSuchFile, toBackendError } from './sftp-errors.ts';
import { createFile, readFully, sync } from './sftp-files.ts';
import type { SftpPool } from './sftp-pool.ts';
import { OPEN_READ, STATUS, SftpStatusError, type SftpAttributes, type SftpHandle, type SftpSession } from './sftp-session.ts';

/** Holds magic, length and metadata of any object that S3QL or we write. */
const FIRST_READ_BYTES = 4096;
const MAX_FILE_BYTES = 2 ** 31 - 1;
const MAX_PARALLEL_DELETES = 16;
/** Directories known to be there. A thousand objects share one. */
const MAX_KNOWN_DIRECTORIES = 100_000;

export interface SftpBackendOptions {
  readonly url: string;
  readonly host: string;
  readonly pool: SftpPool;
  /** Of the store's directory, with a trailing slash. */
  readonly root: string;
  readonly conditionalCreate: boolean;
}

interface OpenedFile {
  readonly session: SftpSession;
  readonly handle: SftpHandle;
  readonly sizeBytes: number;
  readonly attributes: SftpAttributes;
}

export class SftpBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #host: string;
  readonly #pool: SftpPool;
  readonly #root: string;
  readonly #knownDirectories = new Set<string>();

  constructor({ url, host, pool, root, conditionalCreate }: SftpBackendOptions) {
    this.url = url;
    this.#host = host;
    this.#pool = pool;
    this.#root = root;
    this.capabilities = { conditionalCreate, conditionalReplace: false, range: true, batchDelete: 1, serverCopy: false };
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const { signal, ifAbsent = false } = options;
    requireConditions(this, options);
    const path = this.#path(key);
    const parts = [encodeHeader(metadata), ...payload];
    const storedSizeBytes = totalBytes(parts);
    await this.#run(signal, `store object ${key}`, async (session) => {
      const temporary = `${path}#${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
      try {
        const handle = await this.#create(session, temporary, parts);
        try {
          signal?.throwIfAborted();
          if (ifAbsent) await this.#linkIfAbsent(session, key, temporary, path);
          else await session.posixRename(temporary, path);
          await sync(session, handle);
        } finally {
          await session.close(handle).catch(() => undefined);
        }
      } catch (error) {
        await session.remove(temporary).catch(() => undefined);
        throw await this.#explainWriteFailure(session, error, storedSizeBytes);
      }
    });
    return { storedSizeBytes };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    return this.#withFile(key, signal, async (file) => {
      if (range === undefined) return this.#readWhole(key, file);
      const { metadata, payloadStart } = await readHeader(key, file);
      const start = Math.min(payloadStart + range.offset, file.sizeBytes);
      const payload = Buffer.allocUnsafeSlow(Math.min(range.lengthBytes, file.sizeBytes - start));
      const done = await readFully(file.session, file.handle, payload, start);
      return { ...describe(file), metadata, payload: payload.subarray(0, done) };
    });
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    return this.#withFile(key, options.signal, async (file) => {
      const { metadata } = await readHeader(key, file);
      return { ...describe(file), metadata };
    });
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    await this.#run(options.signal, `delete object ${key}`, async (session) => {
      try {
        await session.remove(this.#path(key));
      } catch (error) {
        if (!isNoSuchFile(error)) throw error;
        await this.#expectRoot(session);
      }
    });
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    await forEachLimit(keys, MAX_PARALLEL_DELETES, (key) => this.delete(key, options), options.signal);
  }

  copy(): Promise<void> {
    return refuseCopy(this);
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const { signal } = options;
    const readDirectory = (path: string): Promise<Awaited<ReturnType<SftpSession['readDirectory']>>> =>
      this.#run(signal, 'list the objects', async (session) => {
        try {
          return await session.readDirectory(this.#root + path);
        } catch (error) {
          if (!isNoSuchFile(error)) throw error;
          await this.#expectRoot(session);
          return [];
        }
      });
    for await (const { key, sizeBytes } of listLayout(readDirectory, prefix, signal)) {
      yield sizeBytes === undefined ? { key } : { key, storedSizeBytes: sizeBytes };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  #path(key: string): string {
    try {
      return this.#root + objectPath(key);
    } catch (cause) {
      throw new BackendError((cause as Error).message, { cause });
    }
  }

  /** Runs work with a session; whatever goes wrong becomes an error of ours, an abort the signal's reason. */
  async #run<T>(signal: AbortSignal | undefined, doing: string, work: (session: SftpSession) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      const result = await this.#pool.use(work);
      signal?.throwIfAborted();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      throw toBackendError(error, doing, this.#host);
    }
  }

  async #create(session: SftpSession, path: string, parts: readonly Uint8Array[]): Promise<SftpHandle> {
    const directory = dirname(path);
    await this.#ensureDirectory(session, directory);
    try {
      return await createFile(session, path, parts);
    } catch (error) {
      if (!isNoSuchFile(error)) throw error;
      // Somebody removed it: fsck of another process, as it was empty.
      this.#knownDirectories.clear();
      await this.#ensureDirectory(session, directory);
      return createFile(session, path, parts);
    }
  }

  /** Makes a directory and those above it, up to the store's. */
  async #ensureDirectory(session: SftpSession, directory: string): Promise<void> {
    if (`${directory}/`.length <= this.#root.length || this.#knownDirectories.has(directory)) return;
    await this.#ensureDirectory(session, dirname(directory));
    try {
      await session.mkdir(directory);
    } catch (error) {
      if (isNoSuchFile(error)) {
        await this.#expectRoot(session);
        throw error;
      }
      // It exists, which the protocol calls a failure.
      if (!(await session.stat(directory)).isDirectory) throw error;
    }
    if (this.#knownDirectories.size >= MAX_KNOWN_DIRECTORIES) this.#knownDirectories.clear();
    this.#knownDirectories.add(directory);
  }

  async #linkIfAbsent(session: SftpSession, key: string, temporary: string, path: string): Promise<void> {
    try {
      await session.hardlink(temporary, path);
    } catch (error) {
      // "File exists" is a failure like others to the protocol.
      const exists = await session.stat(path).then(
        () => true,
        () => false,
      );
      throw exists ? new PreconditionFailedError(`object ${key} exists already`, { cause: error }) : error;
    }
    await session.remove(temporary);
  }

  /** Whether a failure means that there is no room left: the protocol has no word for it. */
  async #explainWriteFailure(session: SftpSession, error: unknown, sizeBytes: number): Promise<unknown> {
    if (!(error instanceof SftpStatusError) || error.status !== STATUS.FAILURE || !session.has('statvfs@openssh.com')) return error;
    const availableBytes = await session.availableBytes(this.#root).catch(() => Number.POSITIVE_INFINITY);
    return availableBytes < sizeBytes ? new NoSpaceError(`there is no room left in ${this.url}`, { cause: error }) : error;
  }

  async #withFile<T>(key: string, signal: AbortSignal | undefined, use: (file: OpenedFile) => Promise<T>): Promise<T> {
    return this.#run(signal, `read object ${key}`, async (session) => {
      const handle = await this.#open(session, key);
      try {
        const attributes = await session.fstat(handle);
        const { sizeBytes } = attributes;
        if (sizeBytes === undefined || attributes.isDirectory) throw new CorruptedObjectError(`object ${key} is no regular file`);
        if (sizeBytes > MAX_FILE_BYTES) throw new CorruptedObjectError(`object ${key} has ${sizeBytes} bytes, more than any object`);
        return await use({ session, handle, sizeBytes, attributes });
      } finally {
        await session.close(handle).catch(() => undefined);
      }
    });
  }

  async #open(session: SftpSession, key: string): Promise<SftpHandle> {
    try {
      return await session.open(this.#path(key), OPEN_READ);
    } catch (error) {
      if (!isNoSuchFile(error)) throw error;
      await this.#expectRoot(session);
      throw new NoSuchObjectError(key, { cause: error });
    }
  }

  async #readWhole(key: string, file: OpenedFile): Promise<FetchedObject> {
    const bytes = Buffer.allocUnsafeSlow(file.sizeBytes);
    const done = await readFully(file.session, file.handle, bytes, 0);
    if (done < bytes.byteLength) throw new CorruptedObjectError(`object ${key} became shorter while it was read`);
    return { ...describe(file), metadata: decodeMetadata(key, bytes), payload: bytes.subarray(payloadOffset(key, bytes)) };
  }

  /** A missing object is told from a store that is not there any more. @throws NoSuchContainerError */
  async #expectRoot(session: SftpSession): Promise<void> {
    try {
      if ((await session.stat(this.#root)).isDirectory) return;
    } catch (error) {
      if (!isNoSuchFile(error)) throw error;
    }
    throw new NoSuchContainerError(`the directory ${this.#root} is gone from ${this.#host}`);
  }
}

/** Metadata and where the payload begins, with one read unless the metadata is unusually large. */
async function readHeader(
  key: string,
  { session, handle, sizeBytes }: OpenedFile,
): Promise<{ metadata: ObjectMetadata; payloadStart: number }> {
  let first = Buffer.alloc(Math.min(FIRST_READ_BYTES, sizeBytes));
  first = first.subarray(0, await readFully(session, handle, first, 0));
  const payloadStart = payloadOffset(key, first);
  if (payloadStart > first.byteLength && first.byteLength === FIRST_READ_BYTES) {
    first = Buffer.alloc(payloadStart);
    first = first.subarray(0, await readFully(session, handle, first, 0));
  }
  return { metadata: decodeMetadata(key, first), payloadStart };
}

function describe({ sizeBytes, attributes }: OpenedFile): { readonly storedSizeBytes: number; readonly lastModifiedMs?: number } {
  return { storedSizeBytes: sizeBytes, ...(attributes.mtimeMs === undefined ? {} : { lastModifiedMs: attributes.mtimeMs }) };
}
