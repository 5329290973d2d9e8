/**
 * The control file `.__s3ql__ctrl__`: tools speak to the running mount by getting and setting its extended attributes. Names and values are
 * S3QL's (its tools work on our mounts): integers and tuples as Python writes them, statistics as native 64-bit integers.
 */
import { FsError } from '../util/errors.ts';

/** What the file system offers to tools. Each may take long; the caller waits. */
export interface ControlActions {
  flushCache(): Promise<void>;
  dropCache(): Promise<void>;
  /** Only starts it. */
  backUpMetadata(): void;
  setCacheSize(sizeBytes: number): Promise<void>;
  /** @throws FsError EINVAL for a rate that is none */
  setBandwidthLimit(direction: 'upload' | 'download', rate: string): void;
  /** `level` as Python's logging counts: 10 debug, 20 info, 30 warning, 40 error. Modules: `all` or our module names. */
  setLogLevel(level: number, modules: readonly string[]): void;
  copyTree(sourceInode: number, targetInode: number): Promise<void>;
  lockTree(inode: number): Promise<void>;
  removeTree(parentInode: number, name: Uint8Array): Promise<void>;
  statistics(): ControlStatistics;
  /** What the requests to the store have come to, as JSON. */
  storeMetrics(): string;
  state(): MountState;
  /** Path of the socket on which the mount and tools speak to each other. */
  eventsPath(): string;
}

/** How a mount is: times in ms since the epoch. It travels as JSON. */
export interface MountState {
  readonly store: {
    /** Whether it answers. */
    readonly answers: boolean;
    readonly failingSinceMs?: number | undefined;
    readonly lastError?: { readonly message: string; readonly atMs: number } | undefined;
  };
  /** Undefined: changes are taken. */
  readonly readOnlyBecause?: string | undefined;
  /** The newest complete state of the metadata in the store. */
  readonly generation: { readonly seqNo: number; readonly completedAtMs: number; readonly changesSince: number };
  readonly uploadingCount: number;
  /** Why the last upload of file data failed; undefined if it did not. */
  readonly uploadFailure?: string | undefined;
}

/** The twelve figures of `s3qlstat`, in the order they are sent. */
export interface ControlStatistics {
  readonly entryCount: number;
  readonly objectCount: number;
  readonly inodeCount: number;
  readonly totalSizeBytes: bigint;
  readonly deduplicatedSizeBytes: bigint;
  readonly storedSizeBytes: bigint;
  readonly databaseSizeBytes: number;
  readonly cacheEntryCount: number;
  readonly cacheSizeBytes: number;
  readonly dirtyEntryCount: number;
  readonly dirtySizeBytes: number;
  readonly pendingRemovalCount: number;
}

const UINT64_MAX = 2n ** 64n - 1n;

export class ControlFile {
  readonly #actions: ControlActions;

  constructor(actions: ControlActions) {
    this.#actions = actions;
  }

  /** @throws FsError ENODATA */
  get(name: Uint8Array): Uint8Array {
    switch (Buffer.from(name).toString('latin1')) {
      case 's3ql_pid?':
        return Buffer.from(String(process.pid));
      // S3QL does not have these three; its tools do not ask for them.
      case 's3ql_events?':
        return Buffer.from(this.#actions.eventsPath());
      case 's3ql_store?':
        return Buffer.from(this.#actions.storeMetrics());
      case 's3ql_state?':
        return Buffer.from(JSON.stringify(this.#actions.state()));
      case 's3qlstat':
        return encodeStatistics(this.#actions.statistics());
      default:
        throw new FsError('ENODATA');
    }
  }

  /** Resolves when the action is done. @throws FsError EINVAL (unknown name, malformed value) */
  async set(name: Uint8Array, value: Uint8Array): Promise<void> {
    const text = Buffer.from(value).toString('latin1');
    switch (Buffer.from(name).toString('latin1')) {
      case 's3ql_flushcache!':
        return this.#actions.flushCache();
      case 's3ql_dropcache!':
        return this.#actions.dropCache();
      case 'upload-meta':
        return this.#actions.backUpMetadata();
      case 'cachesize':
        return this.#actions.setCacheSize(parseInteger(text));
      case 'upload-limit':
        return this.#actions.setBandwidthLimit('upload', text);
      case 'download-limit':
        return this.#actions.setBandwidthLimit('download', text);
      case 'logging': {
        const [, level = '', modules = ''] = match(text, /^\(\s*(\d+)\s*,\s*(?:'([^']*)'|None)\s*,?\s*\)$/);
        return this.#actions.setLogLevel(parseInteger(level), modules === '' ? [] : modules.split(','));
      }
      case 'copy': {
        const [, source = '', target = ''] = match(text, /^\(\s*(\d+)\s*,\s*(\d+)\s*\)$/);
        return this.#actions.copyTree(parseInteger(source), parseInteger(target));
      }
      case 'lock':
        return this.#actions.lockTree(parseInteger(text));
      case 'rmtree': {
        const [, parent = '', quote = '', literal = ''] = match(text, /^\(\s*(\d+)\s*,\s*b(['"])(.*)\2\s*\)$/s);
        return this.#actions.removeTree(parseInteger(parent), parseBytesLiteral(literal, quote));
      }
      default:
        throw new FsError('EINVAL', 'unknown control attribute');
    }
  }
}

function encodeStatistics(statistics: ControlStatistics): Uint8Array {
  const figures = [
    statistics.entryCount,
    statistics.objectCount,
    statistics.inodeCount,
    statistics.totalSizeBytes,
    statistics.deduplicatedSizeBytes,
    statistics.storedSizeBytes,
    statistics.databaseSizeBytes,
    statistics.cacheEntryCount,
    statistics.cacheSizeBytes,
    statistics.dirtyEntryCount,
    statistics.dirtySizeBytes,
    statistics.pendingRemovalCount,
  ];
  const value = Buffer.alloc(figures.length * 8);
  // The sum of sizes may exceed 64 bits (sparse files): the largest number says "at least".
  figures.forEach((figure, index) => value.writeBigUInt64LE(BigInt(figure) > UINT64_MAX ? UINT64_MAX : BigInt(figure), index * 8));
  return value;
}

function match(text: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(text);
  if (found === null) throw new FsError('EINVAL', 'malformed control value');
  return found;
}

function parseInteger(text: string): number {
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new FsError('EINVAL', 'malformed control value');
  return value;
}

/** The inside of a Python bytes literal, given as latin1 text. */
function parseBytesLiteral(literal: string, quote: string): Uint8Array {
  const simple: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"' };
  const unescaped = literal.replaceAll(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_all, hex: string | undefined, escaped: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const character = simple[escaped ?? ''];
    if (character === undefined) throw new FsError('EINVAL', 'malformed control value');
    return character;
  });
  if (quote === "'" && /(^|[^\\])'/.test(literal)) throw new FsError('EINVAL', 'malformed control value');
  return Buffer.from(unescaped, 'latin1');
}
