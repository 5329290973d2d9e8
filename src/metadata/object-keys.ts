/** Names of the metadata objects in the store (S3QL format 2.2): keys of superblocks and of pieces of the database file. */
import type { ObjectKey } from '../backends/backend.ts';

/** The current superblock. */
export const SUPERBLOCK_KEY: ObjectKey = 's3ql_params';
export const GENERATION_PREFIX: string = 's3ql_params_';
export const PIECE_PREFIX: string = 's3ql_metadata_';

/** Sequence numbers have ten hexadecimal digits. */
export const MAX_SEQ_NO: number = 2 ** 40 - 1;

const GENERATION = /^s3ql_params_([0-9a-f]{10})$/;
const PIECE = /^s3ql_metadata_([0-9a-f]{12})_([0-9a-f]{10})$/;

/** The superblock of one generation. */
export function generationKey(seqNo: number): ObjectKey {
  return GENERATION_PREFIX + hex(seqNo, 10);
}

/** Content of a piece as of the generation that changed it. */
export function pieceKey(piece: number, seqNo: number): ObjectKey {
  return `${PIECE_PREFIX}${hex(piece, 12)}_${hex(seqNo, 10)}`;
}

export function parseGenerationKey(key: ObjectKey): number | undefined {
  const match = GENERATION.exec(key);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}

export function parsePieceKey(key: ObjectKey): { readonly piece: number; readonly seqNo: number } | undefined {
  const match = PIECE.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { piece: Number.parseInt(match[1], 16), seqNo: Number.parseInt(match[2], 16) };
}

function hex(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no piece or sequence number`);
  const text = value.toString(16).padStart(digits, '0');
  if (text.length > digits) throw new RangeError(`${value} needs more than ${digits} hexadecimal digits`);
  return text;
}
