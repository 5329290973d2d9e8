/**
 * What the store has of the metadata: for every piece of the database file the digest of the newest object of that piece, so that a
 * generation uploads only what differs. Kept in the file `pieces`.
 *
 * Invariants:
 * - a piece with a known digest has that content in its newest object, whose sequence number is at most `seqNo`;
 * - before a piece is uploaded the file says durably that it is unknown, so after a crash it counts as different;
 * - sequence numbers only grow: a file that knows of numbers the file system has not reached is not of this file system's past.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { replaceFile } from '../util/replace-file.ts';

/** SHA-256. */
export const DIGEST_BYTES: number = 32;

const UNKNOWN = new Uint8Array(DIGEST_BYTES);
const HEADER = /^s3ql pieces 1 (\d{1,15}) (\d{1,15})\n/;

export class PieceDigests {
  readonly pieceSizeBytes: number;
  /** The highest sequence number that was used for uploading pieces. */
  readonly seqNo: number;
  readonly #digests: Uint8Array;

  constructor(pieceSizeBytes: number, seqNo: number, digests: Uint8Array) {
    this.pieceSizeBytes = pieceSizeBytes;
    this.seqNo = seqNo;
    this.#digests = digests;
  }

  /** Nothing is known of the store. */
  static unknown(pieceSizeBytes: number): PieceDigests {
    return new PieceDigests(pieceSizeBytes, 0, new Uint8Array(0));
  }

  /** Makes the next generation upload everything, under a higher number. */
  static async forget(path: string, pieceSizeBytes: number): Promise<void> {
    const { seqNo } = await PieceDigests.load(path, pieceSizeBytes);
    await new PieceDigests(pieceSizeBytes, seqNo, new Uint8Array(0)).save(path);
  }

  /** Reads the file; what is missing, damaged or of another piece size is as good as unknown. */
  static async load(path: string, pieceSizeBytes: number): Promise<PieceDigests> {
    const content = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    return (content && parse(content, pieceSizeBytes)) ?? PieceDigests.unknown(pieceSizeBytes);
  }

  async save(path: string): Promise<void> {
    const header = Buffer.from(`s3ql pieces 1 ${this.seqNo} ${this.pieceSizeBytes}\n`, 'latin1');
    const body = Buffer.concat([header, this.#digests]);
    await replaceFile(path, Buffer.concat([body, sha256(body)]));
  }

  /** Whether the store certainly has this content as the newest of the piece. */
  matches(piece: number, digest: Uint8Array): boolean {
    const known = this.#digests.subarray(piece * DIGEST_BYTES, (piece + 1) * DIGEST_BYTES);
    return known.length === DIGEST_BYTES && Buffer.compare(known, digest) === 0;
  }

  /** The state while `pieces` are being uploaded under `seqNo`: they and whatever lies at or beyond `pieceCount` are unknown. */
  uploading(pieces: readonly number[], pieceCount: number, seqNo: number): PieceDigests {
    const digests = new Uint8Array(pieceCount * DIGEST_BYTES);
    digests.set(this.#digests.subarray(0, digests.length));
    for (const piece of pieces) digests.set(UNKNOWN, piece * DIGEST_BYTES);
    return new PieceDigests(this.pieceSizeBytes, seqNo, digests);
  }

  /** The state when the pieces of `uploading` are in the store. */
  uploaded(pieces: readonly number[], digestOf: (piece: number) => Uint8Array): PieceDigests {
    const digests = this.#digests.slice();
    for (const piece of pieces) digests.set(digestOf(piece), piece * DIGEST_BYTES);
    return new PieceDigests(this.pieceSizeBytes, this.seqNo, digests);
  }
}

function parse(content: Buffer, pieceSizeBytes: number): PieceDigests | undefined {
  const body = content.subarray(0, -DIGEST_BYTES);
  if (content.length < DIGEST_BYTES || !timingSafeEqual(sha256(body), content.subarray(-DIGEST_BYTES))) return undefined;
  const header = HEADER.exec(body.toString('latin1', 0, 64));
  if (header === null || Number(header[2]) !== pieceSizeBytes) return undefined;
  const digests = new Uint8Array(body.subarray(header[0].length));
  return digests.length % DIGEST_BYTES === 0 ? new PieceDigests(pieceSizeBytes, Number(header[1]), digests) : undefined;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
