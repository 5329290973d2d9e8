/** Records of the metadata database (reference: S3QL format 2.8; schema.ts explains every column). */
import type { Brand } from '../util/brand.ts';

export type InodeId = Brand<number, 'InodeId'>;
/** The n of `s3ql_data_n`. */
export type ObjectId = Brand<number, 'ObjectId'>;
/** Index of a block in its file: byte offset divided by the file system's data block size. */
export type BlockIndex = number;

export const ROOT_INODE: InodeId = 1 as InodeId;
export const CONTROL_INODE: InodeId = 2 as InodeId;
export const LOST_AND_FOUND_INODE: InodeId = 3 as InodeId;

/** One row of `inodes`. `linkCount` is the number of directory entries, also for directories. */
export interface Inode {
  readonly id: InodeId;
  mode: number;
  uid: number;
  gid: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  linkCount: number;
  /** Bytes, up to 2^63-1. */
  size: bigint;
  rdev: number;
  locked: boolean;
}

/** A directory entry with the inode it names. `cookie` orders the entries of a directory and stays while the entry does. */
export interface DirectoryEntry {
  readonly cookie: number;
  readonly name: Uint8Array;
  readonly inode: InodeId;
}

/** One row of `objects`. */
export interface StoredBlock {
  readonly objectId: ObjectId;
  /** Plaintext bytes; a block shorter than the range it covers is followed by zeros. */
  readonly lengthBytes: number;
  /** SHA-256 of the plaintext; null if S3QL failed to upload it. */
  readonly digest: Uint8Array | null;
}
