/**
 * The superblock (S3QL's params object, S3QL format 2.4): what a file system is and which generation of its metadata is current. One text
 * with exactly these keys in this order; S3QL takes them as arguments and fails on any other.
 */
import { BasicMappingError, type BasicMapping, type BasicValue, parseBasicMapping, writeBasicMapping } from '../util/basic-mapping.ts';
import { UserError } from '../util/errors.ts';
import { Float } from '../util/python-float.ts';
import { MAX_SEQ_NO } from './object-keys.ts';

/** The revision of the file system format that this program reads and writes. */
export const REVISION: number = 26;

export interface Superblock {
  readonly dataBlockSizeBytes: number;
  /** Size of the pieces that the database file is stored in. */
  readonly metadataBlockSizeBytes: number;
  /** Number of the generation; grows with every mount and every upload. */
  readonly seqNo: number;
  readonly databaseSizeBytes: number;
  readonly revision: number;
  readonly label: string;
  readonly needsFsck: boolean;
  /** True: somebody has it mounted, and size and digest of the database may be older than its pieces. */
  readonly isMounted: boolean;
  /** Generation number of inodes for NFS. */
  readonly inodeGeneration: number;
  /** Unix time. */
  readonly lastFsckSeconds: number;
  /** Unix time. */
  readonly lastModifiedSeconds: number;
  /** SHA-256 of the database file, in hexadecimal. */
  readonly databaseDigestHex: string;
}

const EXIT_REVISION_TOO_OLD = 32;
const EXIT_REVISION_TOO_NEW = 33;
/** Both block sizes are given in KiB, and blocks are held in memory whole: other values can only be damage. */
const MAX_BLOCK_SIZE_BYTES = 2 ** 32;
const MIN_BLOCK_SIZE_BYTES = 1024;
/** 2^32 pages. */
const MAX_DATABASE_BYTES = 2 ** 44;

export function writeSuperblock(superblock: Superblock): Uint8Array<ArrayBuffer> {
  return writeBasicMapping({
    data_block_size: superblock.dataBlockSizeBytes,
    metadata_block_size: superblock.metadataBlockSizeBytes,
    seq_no: superblock.seqNo,
    db_size: superblock.databaseSizeBytes,
    revision: superblock.revision,
    label: superblock.label,
    needs_fsck: superblock.needsFsck,
    is_mounted: superblock.isMounted,
    inode_gen: superblock.inodeGeneration,
    last_fsck: new Float(superblock.lastFsckSeconds),
    last_modified: new Float(superblock.lastModifiedSeconds),
    db_md5: superblock.databaseDigestHex,
  });
}

/** It cannot be read, for whatever reason. */
export class DamagedSuperblockError extends UserError {
  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(`The superblock ${source} is damaged: ${problem}.`, 1, options);
    this.name = 'DamagedSuperblockError';
  }
}

/**
 * Reads the text; `source` is named in messages. @throws UserError with exit code 32 or 33 for other revisions, 1 if it is damaged
 */
export function parseSuperblock(text: Uint8Array, source: string): Superblock {
  let mapping: BasicMapping;
  try {
    mapping = parseBasicMapping(text);
  } catch (error) {
    if (!(error instanceof BasicMappingError)) throw error;
    throw damaged(source, error.message, error);
  }
  const fields = new Fields(mapping, source);
  const revision = fields.integer('revision', 0, Number.MAX_SAFE_INTEGER);
  requireRevision(revision);
  return {
    dataBlockSizeBytes: fields.integer('data_block_size', MIN_BLOCK_SIZE_BYTES, MAX_BLOCK_SIZE_BYTES),
    metadataBlockSizeBytes: fields.integer('metadata_block_size', MIN_BLOCK_SIZE_BYTES, MAX_BLOCK_SIZE_BYTES),
    seqNo: fields.integer('seq_no', 0, MAX_SEQ_NO),
    databaseSizeBytes: fields.integer('db_size', 0, MAX_DATABASE_BYTES),
    revision,
    label: fields.string('label', '<unnamed>'),
    needsFsck: fields.boolean('needs_fsck'),
    isMounted: fields.boolean('is_mounted'),
    inodeGeneration: fields.integer('inode_gen', 0, Number.MAX_SAFE_INTEGER, 0),
    lastFsckSeconds: fields.number('last_fsck'),
    lastModifiedSeconds: fields.number('last_modified'),
    databaseDigestHex: fields.string('db_md5', ''),
  };
}

/** @throws UserError with exit code 32 (too old) or 33 (too new) */
function requireRevision(revision: number): void {
  if (revision < REVISION) {
    throw new UserError(
      `The file system has revision ${revision}, which is too old: upgrade it to revision ${REVISION} with "s3qladm upgrade" first.`,
      EXIT_REVISION_TOO_OLD,
    );
  }
  if (revision > REVISION) {
    throw new UserError(
      `The file system has revision ${revision}, which is too new: this version of S3QL knows ${REVISION}. Please install a newer one.`,
      EXIT_REVISION_TOO_NEW,
    );
  }
}

/** Typed access to the values of a mapping. */
class Fields {
  readonly #mapping: BasicMapping;
  readonly #source: string;

  constructor(mapping: BasicMapping, source: string) {
    this.#mapping = mapping;
    this.#source = source;
  }

  integer(key: string, lowest: number, highest: number, absent?: number): number {
    const value = this.#value(key, absent);
    if (typeof value !== 'number' || value < lowest || value > highest) throw this.#wrong(key);
    return value;
  }

  /** A float, or an integer where one was written. */
  number(key: string): number {
    const value = this.#value(key, 0);
    if (typeof value === 'number') return value;
    if (!(value instanceof Float)) throw this.#wrong(key);
    return value.value;
  }

  string(key: string, absent: string): string {
    const value = this.#value(key, absent);
    if (typeof value !== 'string') throw this.#wrong(key);
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#value(key, false);
    if (typeof value !== 'boolean') throw this.#wrong(key);
    return value;
  }

  #value(key: string, absent: BasicValue | undefined): BasicValue | undefined {
    return Object.hasOwn(this.#mapping, key) ? this.#mapping[key] : absent;
  }

  #wrong(key: string): UserError {
    return damaged(this.#source, `${key} is missing or has no valid value`);
  }
}

function damaged(source: string, problem: string, cause?: unknown): UserError {
  return new DamagedSuperblockError(source, problem, { cause });
}
