/**
 * A store in a directory, laid out exactly as S3QL does it (format 2.9).
 *
 * An object's file is written under a temporary name, synced, and then renamed or linked into place, and the directory is synced: at no
 * moment, not even after a power cut, does a key show anything but a whole object, and what was stored stays stored. A crash leaves at
 * most temporary files, which cleanUpLocalStore removes. Deleting is not synced: an object that comes back is only an orphan.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import { totalBytes } from '../../util/total-bytes.ts';
import { refuseCopy } from '../conditions.ts';
import { BackendError, CorruptedObjectError, NoSuchContainerError, NoSuchObjectError, PreconditionFailedError } from '../errors.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { Durability } from './durability.ts';
import { close, fstat, link, open, readFully, rename, stat, unlink, writeAll } from './files.ts';
import { listObjects } from './list-objects.ts';
import { errorCode, toBackendError } from './local-errors.ts';
import { decodeMetadata, encodeHeader, payloadOffset } from './object-file.ts';
import { objectPath } from './object-path.ts';

const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** O_NONBLOCK: a FIFO among the objects must not hang us. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Holds magic, length and metadata of any object that S3QL or we write. */
const FIRST_READ_BYTES = 2048;
/** What can be read at once. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
const MAX_PARALLEL_DELETES = 3;
/** Directories known to be there, durably. A thousand objects share one. */
const MAX_KNOWN_DIRECTORIES = 100_000;
/** A directory that vanishes between our mkdir and our open, each time again, is somebody else's doing. */
const MAX_MKDIR_ATTEMPTS = 3;

const THREAD_TAG = `${randomBytes(4).toString('hex')}x`;
let temporaryCount = 0;

interface OpenedObject {
  readonly fd: number;
  readonly storedSizeBytes: number;
  readonly lastModifiedMs: number;
}

export class LocalBackend implements Backend {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #root: string;
  readonly #rootIdentity: string;
  readonly #durability = new Durability();
  readonly #knownDirectories = new Map<string, Promise<void>>();

  private constructor(url: string, root: string, rootIdentity: string, conditionalCreate: boolean) {
    this.url = url;
    this.#root = root;
    this.#rootIdentity = rootIdentity;
    this.capabilities = { conditionalCreate, conditionalReplace: false, range: true, batchDelete: 1, serverCopy: false };
  }

  /** @param directory absolute; must exist. @throws NoSuchContainerError, PermissionError */
  static async open(url: string, directory: string): Promise<LocalBackend> {
    const root = join(directory, '/');
    try {
      const identity = await directoryIdentity(root);
      if (identity === undefined) throw new NoSuchContainerError(`the storage directory ${directory} does not exist; create it first`);
      return new LocalBackend(url, root, identity, await canLink(root));
    } catch (error) {
      throw toBackendError(error, `use the storage directory ${directory}`);
    }
  }

  async store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (options.ifVersion !== undefined) throw new BackendError(`${this.url} cannot replace objects conditionally`);
    if (options.ifAbsent === true && !this.capabilities.conditionalCreate)
      throw new BackendError(`${this.url} cannot create conditionally`);
    const path = this.#path(key);
    const parts = [encodeHeader(metadata), ...payload];
    const temporary = temporaryPath(path);
    try {
      const fd = await this.#createFile(temporary);
      try {
        await this.#writeDurably(fd, parts, signal);
        if (options.ifAbsent === true) await this.#linkIfAbsent(key, fd, temporary, path);
        else await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      } finally {
        await close(fd);
      }
      await this.#durability.syncDirectory(dirname(path));
    } catch (error) {
      throw await this.#explain(error, key, `store object ${key}`);
    }
    return { storedSizeBytes: totalBytes(parts) };
  }

  async fetch(key: string, options: FetchOptions = {}): Promise<FetchedObject> {
    const { range, signal } = options;
    return this.#withObject(key, signal, async (object) => {
      if (range !== undefined) {
        const { metadata, payloadStart } = await readHeader(key, object);
        const start = Math.min(payloadStart + range.offset, object.storedSizeBytes);
        const payload = Buffer.allocUnsafeSlow(Math.min(range.lengthBytes, object.storedSizeBytes - start));
        const done = await readFully(object.fd, payload, start);
        return { ...describe(object), metadata, payload: payload.subarray(0, done) };
      }
      const file = Buffer.allocUnsafeSlow(object.storedSizeBytes);
      const done = await readFully(object.fd, file, 0);
      if (done < file.byteLength) throw new CorruptedObjectError(`object ${key} became shorter while it was read`);
      return { ...describe(object), metadata: decodeMetadata(key, file), payload: file.subarray(payloadOffset(key, file)) };
    });
  }

  async stat(key: string, options: RequestOptions = {}): Promise<ObjectStat> {
    return this.#withObject(key, options.signal, async (object) => {
      const { metadata } = await readHeader(key, object);
      return { ...describe(object), metadata };
    });
  }

  async delete(key: string, options: RequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    try {
      await unlink(this.#path(key));
    } catch (error) {
      const explained = await this.#explain(error, key, `delete object ${key}`);
      if (!(explained instanceof NoSuchObjectError)) throw explained;
    }
  }

  async deleteMany(keys: readonly string[], options: RequestOptions = {}): Promise<void> {
    const rest = keys.values();
    const worker = async (): Promise<void> => {
      for (const key of rest) await this.delete(key, options);
    };
    await Promise.all(Array.from({ length: MAX_PARALLEL_DELETES }, worker));
  }

  copy(): Promise<void> {
    return refuseCopy(this);
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    try {
      for await (const key of listObjects(this.#root, prefix, options.signal)) yield { key };
    } catch (error) {
      throw await this.#explain(error, prefix, 'list the objects');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing stays open between calls.
  }

  #path(key: string): string {
    try {
      return join(this.#root, objectPath(key));
    } catch (cause) {
      throw new BackendError((cause as Error).message, { cause });
    }
  }

  async #createFile(temporary: string): Promise<number> {
    const directory = dirname(temporary);
    for (let attempt = 1; ; attempt += 1) {
      await this.#ensureDirectory(directory);
      try {
        return await open(temporary, WRITE_FLAGS, 0o666);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT' || attempt === MAX_MKDIR_ATTEMPTS) throw error;
        this.#knownDirectories.delete(directory);
      }
    }
  }

  async #writeDurably(fd: number, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
    await writeAll(fd, parts);
    signal?.throwIfAborted();
    await this.#durability.syncFile(fd);
    signal?.throwIfAborted();
  }

  async #linkIfAbsent(key: string, fd: number, temporary: string, path: string): Promise<void> {
    try {
      await link(temporary, path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      // On NFS a link that was made can be reported as failed when the answer was lost and the request repeated.
      const { nlink } = await fstat(fd);
      if (nlink < 2) throw new PreconditionFailedError(`object ${key} exists already`, { cause: error });
    }
    await unlink(temporary);
  }

  /** Makes a directory and those above it, up to the store's, and makes their entries durable. */
  #ensureDirectory(directory: string): Promise<void> {
    const known = this.#knownDirectories.get(directory);
    if (known !== undefined) return known;
    const making = this.#makeDirectory(directory);
    if (this.#knownDirectories.size >= MAX_KNOWN_DIRECTORIES) this.#knownDirectories.clear();
    this.#knownDirectories.set(directory, making);
    making.catch(() => this.#knownDirectories.delete(directory));
    return making;
  }

  async #makeDirectory(directory: string): Promise<void> {
    // Also when it is there: who made it may have died before the sync.
    if (join(directory, '/') === this.#root) return;
    const parent = dirname(directory);
    await this.#ensureDirectory(parent);
    try {
      await mkdir(directory);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    await this.#durability.syncDirectory(parent);
  }

  async #withObject<T>(key: string, signal: AbortSignal | undefined, use: (object: OpenedObject) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      const fd = await open(this.#path(key), READ_FLAGS);
      try {
        const file = await fstat(fd);
        if (!file.isFile()) throw new CorruptedObjectError(`object ${key} is no regular file`);
        if (file.size > MAX_FILE_BYTES) throw new CorruptedObjectError(`object ${key} has ${file.size} bytes, more than any object`);
        const result = await use({ fd, storedSizeBytes: file.size, lastModifiedMs: file.mtimeMs });
        signal?.throwIfAborted();
        return result;
      } finally {
        await close(fd);
      }
    } catch (error) {
      throw await this.#explain(error, key, `read object ${key}`);
    }
  }

  /** A missing object is told from a store that is not there any more, as after an unmount: nothing may take the latter for the former. */
  async #explain(error: unknown, key: string, doing: string): Promise<unknown> {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return toBackendError(error, doing);
    try {
      const identity = await directoryIdentity(this.#root);
      if (identity === undefined) return new NoSuchContainerError(`the storage directory ${this.#root} is gone`, { cause: error });
      if (identity !== this.#rootIdentity) {
        const message = `${this.#root} is another directory than before: was the file system below it mounted or unmounted?`;
        return new BackendError(message, { cause: error, temporary: true });
      }
      return new NoSuchObjectError(key, { cause: error });
    } catch (rootError) {
      return toBackendError(rootError, doing);
    }
  }
}

/** Unlike any other thread's, process's or machine's that uses the same directory. */
function temporaryPath(path: string): string {
  temporaryCount += 1;
  return `${path}#${process.pid}-${THREAD_TAG}${temporaryCount}.tmp`;
}

/** Device and inode of a directory; undefined if there is none. */
async function directoryIdentity(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Whether hard links can be made, which conditional creation needs. A directory that may not be written counts as able: storing fails anyway. */
async function canLink(directory: string): Promise<boolean> {
  const [probe, second] = [temporaryPath(directory), temporaryPath(directory)];
  try {
    await close(await open(probe, WRITE_FLAGS, 0o600));
  } catch {
    return true;
  }
  try {
    await link(probe, second);
    await unlink(second);
    return true;
  } catch {
    return false;
  } finally {
    await unlink(probe);
  }
}

/** Metadata and where the payload begins, with one read unless the metadata is unusually large. */
async function readHeader(key: string, object: OpenedObject): Promise<{ metadata: ObjectMetadata; payloadStart: number }> {
  let first = Buffer.alloc(Math.min(FIRST_READ_BYTES, object.storedSizeBytes));
  first = first.subarray(0, await readFully(object.fd, first, 0));
  const payloadStart = payloadOffset(key, first);
  if (payloadStart > first.byteLength && first.byteLength === FIRST_READ_BYTES) {
    first = Buffer.alloc(payloadStart);
    first = first.subarray(0, await readFully(object.fd, first, 0));
  }
  return { metadata: decodeMetadata(key, first), payloadStart };
}

function describe({ storedSizeBytes, lastModifiedMs }: OpenedObject): { storedSizeBytes: number; lastModifiedMs: number } {
  return { storedSizeBytes, lastModifiedMs };
}
