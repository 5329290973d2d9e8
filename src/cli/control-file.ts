/**
 * Speaks to the process that serves a mount, as S3QL's tools do: by extended attributes of a hidden control file that exists in every
 * directory of the mount (reference: S3QL behaviour 1.6).
 */
import { access, constants, stat } from 'node:fs/promises';
import { endianness } from 'node:os';
import { basename, join } from 'node:path';
import type { StoreMetricsSnapshot } from '../backends/store-metrics.ts';
import { UserError } from '../util/errors.ts';
import { pythonBytesRepr } from '../util/python-bytes.ts';
import { getXattr, setXattr } from '../util/xattr.ts';
import { EXIT_ERROR } from './exit-codes.ts';
import { type ControllableLogLevel, loggingValue } from './logging-value.ts';

const CONTROL_FILE_NAME = '.__s3ql__ctrl__';
const STATISTICS_FIELD_COUNT = 12;
const MAXIMUM_PID_LENGTH = 32;
const MAXIMUM_PATH_LENGTH = 4096;
const MAXIMUM_METRICS_BYTES = 16 * 1024;
const MAXIMUM_STATE_LENGTH = 64 * 1024;

/** Figures of a mount. Sizes in bytes; they can exceed 2^53. */
export interface MountStatistics {
  readonly entryCount: bigint;
  readonly objectCount: bigint;
  readonly inodeCount: bigint;
  readonly totalSizeBytes: bigint;
  readonly deduplicatedSizeBytes: bigint;
  readonly storedSizeBytes: bigint;
  readonly databaseSizeBytes: bigint;
  readonly cacheEntryCount: bigint;
  readonly cacheSizeBytes: bigint;
  readonly dirtyEntryCount: bigint;
  readonly dirtySizeBytes: bigint;
  readonly pendingRemovalCount: bigint;
}

/** How a mount is: times in ms since the epoch. */
export interface MountState {
  readonly store: {
    readonly answers: boolean;
    readonly failingSinceMs?: number;
    readonly lastError?: { readonly message: string; readonly atMs: number };
  };
  /** Undefined: changes are taken. */
  readonly readOnlyBecause?: string;
  /** The newest complete state of the metadata in the store. */
  readonly generation: { readonly seqNo: number; readonly completedAtMs: number; readonly changesSince: number };
  readonly uploadingCount: number;
  /** Why the last upload of file data failed; undefined if it did not. */
  readonly uploadFailure?: string;
}

/** A file or directory of a mount. */
export interface TreeNode {
  readonly path: string;
  readonly inode: bigint;
}

export class ControlFile {
  readonly #directory: string;
  readonly #path: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, CONTROL_FILE_NAME);
  }

  /** The control file of the mount that the directory is in. @throws UserError if that is none of ours, or not the caller's */
  static async find(directory: string): Promise<ControlFile> {
    const stats = await stat(directory).catch((error: unknown) => {
      throw unreachable(directory, error);
    });
    if (!stats.isDirectory()) throw new UserError(`${directory} is not a directory`, EXIT_ERROR);
    const control = new ControlFile(directory);
    try {
      await access(control.#path, constants.R_OK | constants.W_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOENT' || code === 'ENOTDIR' ? notOurs(directory, error) : unreachable(directory, error);
    }
    return control;
  }

  /** Process id of the daemon. */
  async pid(): Promise<number> {
    return Number((await this.#read('s3ql_pid?', MAXIMUM_PID_LENGTH)).toString('latin1'));
  }

  /** Path of the socket on which the mount and tools speak to each other; undefined for mounts of S3QL itself. */
  async eventsPath(): Promise<string | undefined> {
    return getXattr(this.#path, 's3ql_events?', MAXIMUM_PATH_LENGTH).then(
      (path) => path.toString(),
      () => undefined,
    );
  }

  /** How the mount is; undefined for mounts of S3QL itself. */
  async state(): Promise<MountState | undefined> {
    return getXattr(this.#path, 's3ql_state?', MAXIMUM_STATE_LENGTH).then(
      (json) => JSON.parse(json.toString()) as MountState,
      () => undefined,
    );
  }

  async statistics(): Promise<MountStatistics> {
    const bytes = await this.#read('s3qlstat', STATISTICS_FIELD_COUNT * 8);
    const field = (index: number): bigint => (endianness() === 'LE' ? bytes.readBigUInt64LE(index * 8) : bytes.readBigUInt64BE(index * 8));
    return {
      entryCount: field(0),
      objectCount: field(1),
      inodeCount: field(2),
      totalSizeBytes: field(3),
      deduplicatedSizeBytes: field(4),
      storedSizeBytes: field(5),
      databaseSizeBytes: field(6),
      cacheEntryCount: field(7),
      cacheSizeBytes: field(8),
      dirtyEntryCount: field(9),
      dirtySizeBytes: field(10),
      pendingRemovalCount: field(11),
    };
  }

  /** What the mount's requests to the store have come to; undefined for mounts of S3QL itself. */
  async storeMetrics(): Promise<StoreMetricsSnapshot | undefined> {
    return getXattr(this.#path, 's3ql_store?', MAXIMUM_METRICS_BYTES).then(
      (text) => JSON.parse(text.toString('utf8')) as StoreMetricsSnapshot,
      () => undefined,
    );
  }

  /** Resolves when everything that was dirty at the time of the call is in the store. */
  async flushCache(): Promise<void> {
    await this.#command('s3ql_flushcache!');
  }

  /** Same; resolves when the cache is empty, but for what became dirty meanwhile. */
  async dropCache(): Promise<void> {
    await this.#command('s3ql_dropcache!');
  }

  /** Starts an upload of the metadata; does not wait for its end. */
  async backUpMetadata(): Promise<void> {
    await this.#command('upload-meta');
  }

  async setCacheSize(sizeBytes: number): Promise<void> {
    await this.#command('cachesize', String(sizeBytes));
  }

  /** From now on; `rate` as for the options of mount.s3ql. @throws UserError also if the mount is an older one, or S3QL's own */
  async setBandwidthLimit(direction: 'upload-limit' | 'download-limit', rate: string): Promise<void> {
    await this.#command(direction, rate);
  }

  /** Modules count for debug messages only; `all` is all of them. */
  async setLogLevel(level: ControllableLogLevel, modules: readonly string[]): Promise<void> {
    await this.#command('logging', loggingValue(level, modules));
  }

  /** Copies what is in the source into the empty target: inodes of directories at these paths. @throws UserError */
  async copyTree(source: TreeNode, target: TreeNode): Promise<void> {
    await this.#treeCommand('copy', `(${source.inode}, ${target.inode})`, target.path);
  }

  /** Makes everything in the tree immutable. @throws UserError */
  async lockTree(top: TreeNode): Promise<void> {
    await this.#treeCommand('lock', String(top.inode), top.path);
  }

  /** Removes the entry at the path, immutable or not, with all below it; `parent` is the inode of the directory it is in. @throws UserError */
  async removeTree(parent: bigint, path: string): Promise<void> {
    await this.#treeCommand('rmtree', `(${parent}, ${pythonBytesRepr(Buffer.from(basename(path)))})`, path);
  }

  async #treeCommand(name: string, value: string, path: string): Promise<void> {
    try {
      await setXattr(this.#path, name, Buffer.from(value));
    } catch (error) {
      throw failed(this.#directory, path, error);
    }
  }

  async #read(name: string, maximumSizeBytes: number): Promise<Buffer> {
    return this.#explaining(getXattr(this.#path, name, maximumSizeBytes));
  }

  async #command(name: string, value: string = 'dummy'): Promise<void> {
    return this.#explaining(setXattr(this.#path, name, Buffer.from(value)));
  }

  async #explaining<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A file of that name in a file system of another kind.
      if (code === 'ENODATA' || code === 'ENOTSUP') throw notOurs(this.#directory, error);
      throw unreachable(this.#directory, error);
    }
  }
}

function notOurs(directory: string, cause: unknown): UserError {
  return new UserError(`${directory} is not in a mounted S3QL file system`, EXIT_ERROR, { cause });
}

/** Why what was asked for was not done to the path. */
function failed(directory: string, path: string, cause: unknown): UserError {
  const { code } = cause as NodeJS.ErrnoException;
  const explain = (message: string): UserError => new UserError(message, EXIT_ERROR, { cause });
  switch (code) {
    case 'ENOENT':
      return explain(`${path} does not exist any more`);
    case 'ENOTEMPTY':
      return explain(`${path} is not empty any more: somebody else writes to it`);
    case 'EPERM':
    case 'EACCES':
      return explain(`${path} may not be changed: it is immutable, or you are not the user who mounted the file system`);
    default:
      return unreachable(directory, cause);
  }
}

function unreachable(directory: string, cause: unknown): UserError {
  const { code } = cause as NodeJS.ErrnoException;
  return new UserError(reason(), EXIT_ERROR, { cause });

  function reason(): string {
    switch (code) {
      case 'ENOENT':
        return `${directory} does not exist`;
      case 'EACCES':
      case 'EPERM':
        return `${directory} cannot be accessed: only the user who mounted an S3QL file system may do this`;
      case 'ENOTCONN':
      case 'ECONNABORTED':
        return `the process that served ${directory} has died: take the mount away with umount.s3ql, then mount again`;
      default:
        return `the file system at ${directory} answers with ${code}: its log says why`;
    }
  }
}
