/**
 * Uploads a generation: the pieces of a frozen database file that differ from what the store has, then the superblock. An upload that does
 * not get to its end leaves the generations before it untouched; some pieces with its sequence number stay behind, are uploaded anew by
 * the next one, and deleted as unneeded later.
 */
import type { RequestOptions } from '../backends/backend.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import { type ProgressReporter, silentProgress } from '../util/progress.ts';
import { DEFAULT_CONNECTION_LIMIT, publishSuperblock } from './generations.ts';
import type { LocalPaths } from './local-state.ts';
import { pieceKey } from './object-keys.ts';
import { PieceDigests } from './piece-digests.ts';
import type { Snapshot } from './snapshot.ts';
import type { Superblock } from './superblock.ts';

export interface UploadOptions extends RequestOptions {
  readonly store: ObjectStore;
  readonly paths: LocalPaths;
  readonly snapshot: Snapshot;
  /**
   * The superblock to publish; size and digest of the database are filled in. Its `seqNo` must never have been used before, not even by
   * an upload that failed: `nextSeqNo` tells one.
   */
  readonly superblock: Superblock;
  readonly compression: CompressionSpec;
  /** Publishes the superblock, here and in the store, when all pieces are there. Default: publishSuperblock. */
  readonly publish?: (superblock: Superblock) => Promise<void>;
  readonly connectionLimit?: number;
  readonly progress?: ProgressReporter;
}

export interface UploadedGeneration {
  readonly superblock: Superblock;
  readonly uploadedPieces: readonly number[];
}

/** A sequence number above all that this machine or the store has used. */
export async function nextSeqNo(paths: LocalPaths, ...superblocks: Array<Superblock | undefined>): Promise<number> {
  let highest = 0;
  for (const superblock of superblocks) {
    if (superblock === undefined) continue;
    const { seqNo } = await PieceDigests.load(paths.piecesPath, superblock.metadataBlockSizeBytes);
    highest = Math.max(highest, superblock.seqNo, seqNo);
  }
  return highest + 1;
}

/** Resolves when the generation is complete in the store. */
export async function uploadGeneration(options: UploadOptions): Promise<UploadedGeneration> {
  const { store, paths, snapshot, compression } = options;
  const superblock: Superblock = {
    ...options.superblock,
    databaseSizeBytes: snapshot.sizeBytes,
    databaseDigestHex: snapshot.digestHex,
  };
  const uploadedPieces = await uploadPieces(options, superblock.seqNo);
  const request = options.signal === undefined ? { compression } : { compression, signal: options.signal };
  await (options.publish?.(superblock) ?? publishSuperblock(store, paths, superblock, request));
  return { superblock, uploadedPieces };
}

async function uploadPieces(options: UploadOptions, seqNo: number): Promise<number[]> {
  const { store, paths, snapshot, compression, signal } = options;
  const known = await knownPieces(options, seqNo);
  const changed: number[] = [];
  for (let piece = 0; piece < snapshot.pieceCount; piece++) {
    if (!known.matches(piece, snapshot.pieceDigest(piece))) changed.push(piece);
  }
  const uploading = known.uploading(changed, snapshot.pieceCount, seqNo);
  await uploading.save(paths.piecesPath);

  using step = (options.progress ?? silentProgress).step('Uploading metadata', 'pieces');
  const bytesTotal = changed.reduce((sum, piece) => sum + pieceLength(snapshot, piece), 0);
  let done = 0;
  let bytesDone = 0;
  step.update({ done, total: changed.length, bytesDone, bytesTotal });
  await forEachLimit(
    changed,
    options.connectionLimit ?? DEFAULT_CONNECTION_LIMIT,
    async (piece) => {
      const bytes = await snapshot.read(piece);
      await store.put(pieceKey(piece, seqNo), bytes, signal === undefined ? { compression } : { compression, signal });
      done++;
      bytesDone += pieceLength(snapshot, piece);
      step.update({ done, total: changed.length, bytesDone, bytesTotal });
    },
    signal,
  );
  await uploading.uploaded(changed, (piece) => snapshot.pieceDigest(piece)).save(paths.piecesPath);
  return changed;
}

/** What is known of the store, unless it belongs to a future that this file system has not reached. */
async function knownPieces({ paths, snapshot }: UploadOptions, seqNo: number): Promise<PieceDigests> {
  const known = await PieceDigests.load(paths.piecesPath, snapshot.pieceSizeBytes);
  return known.seqNo < seqNo ? known : PieceDigests.unknown(snapshot.pieceSizeBytes);
}

function pieceLength(snapshot: Snapshot, piece: number): number {
  return Math.min(snapshot.pieceSizeBytes, snapshot.sizeBytes - piece * snapshot.pieceSizeBytes);
}
