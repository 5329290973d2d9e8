/**
 * Downloads a generation of the metadata and puts it in the place of the local database.
 *
 * The file is built and verified under another name. Then, in this order and durably: the local superblock and the knowledge about pieces
 * go, the old database with its WAL goes (its frames must never meet another database), the new one takes its name. The caller writes the
 * local superblock. So at no time does a local superblock speak of a database that is not there.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ObjectKey, RequestOptions } from '../backends/backend.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import { type ProgressReporter, silentProgress } from '../util/progress.ts';
import { syncDirectory } from '../util/replace-file.ts';
import { DEFAULT_CONNECTION_LIMIT } from './generations.ts';
import type { LocalPaths } from './local-state.ts';
import { pieceKey } from './object-keys.ts';
import { DIGEST_BYTES, PieceDigests } from './piece-digests.ts';
import { PieceVersions } from './piece-versions.ts';
import type { Superblock } from './superblock.ts';

export interface DownloadOptions extends RequestOptions {
  readonly store: ObjectStore;
  readonly paths: LocalPaths;
  /** The generation to download. */
  readonly superblock: Superblock;
  readonly connectionLimit?: number;
  readonly progress?: ProgressReporter;
}

/** The generation can't be had from the store as it was uploaded; another one may. */
export class DamagedGenerationError extends UserError {
  constructor(seqNo: number, problem: string, options?: ErrorOptions) {
    super(
      `Metadata generation ${seqNo} is damaged in the store: ${problem}. ` +
        'Go back to an earlier one with "s3qladm restore-metadata", or let fsck.s3ql repair what is left of it.',
      1,
      options,
    );
    this.name = 'DamagedGenerationError';
  }
}

/** Downloads the generation; its digest is verified. @throws DamagedGenerationError; then the local state is unchanged */
export async function downloadGeneration(options: DownloadOptions): Promise<void> {
  const { superblock } = options;
  await download(options, 'exact', async (file) => {
    await file.truncate(superblock.databaseSizeBytes);
    const digestHex = await digestOf(file, options.signal);
    if (digestHex !== superblock.databaseDigestHex) {
      throw new DamagedGenerationError(superblock.seqNo, `its digest is ${digestHex}, not ${superblock.databaseDigestHex}`);
    }
  });
}

/**
 * Downloads what there is of a generation without verifying it, for fsck: the best version of each piece, those beyond the database's
 * recorded size too; zeros where there is nothing. Returns the objects that turned out to be damaged.
 */
export async function downloadRemains(options: DownloadOptions): Promise<ObjectKey[]> {
  return download(options, 'failsafe', async () => {});
}

interface Wanted {
  readonly piece: number;
  readonly seqNo: number;
  /** The store has no newer version. */
  readonly newest: boolean;
}

async function download(
  options: DownloadOptions,
  mode: 'exact' | 'failsafe',
  verify: (file: FileHandle) => Promise<void>,
): Promise<ObjectKey[]> {
  const { store, paths, superblock, signal } = options;
  const pieceSizeBytes = superblock.metadataBlockSizeBytes;
  const versions = await PieceVersions.list(store, signal === undefined ? {} : { signal });
  const wanted = mode === 'exact' ? selectExactly(versions, superblock) : selectRemains(versions, superblock);
  const lost: ObjectKey[] = [];

  const temporary = `${paths.databasePath}.download`;
  const digests = new Uint8Array(mode === 'exact' ? wanted.length * DIGEST_BYTES : 0);
  try {
    const file = await open(temporary, 'w+', 0o600);
    try {
      using step = (options.progress ?? silentProgress).step('Downloading metadata', 'pieces');
      const total = wanted.length;
      let done = 0;
      let bytesDone = 0;
      step.update({ done, total, bytesDone });
      await forEachLimit(
        wanted,
        options.connectionLimit ?? DEFAULT_CONNECTION_LIMIT,
        async ({ piece, seqNo, newest }) => {
          const bytes = await fetchPiece(options, piece, seqNo, mode);
          if (bytes === undefined) {
            lost.push(pieceKey(piece, seqNo));
            return;
          }
          await writeFully(file, bytes, piece * pieceSizeBytes);
          const used = mode === 'exact' ? bytes.subarray(0, superblock.databaseSizeBytes - piece * pieceSizeBytes) : bytes;
          if (newest) digests.set(createHash('sha256').update(used).digest(), piece * DIGEST_BYTES);
          bytesDone += bytes.length;
          step.update({ done: ++done, total, bytesDone });
        },
        signal,
      );
      await verify(file);
      await file.datasync();
    } finally {
      await file.close();
    }
    await install(paths, temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const seqNo = Math.max(superblock.seqNo, versions.highest());
  await new PieceDigests(pieceSizeBytes, seqNo, digests).save(paths.piecesPath);
  return lost;
}

/** Which version of each piece makes up the generation, in piece order. */
function selectExactly(versions: PieceVersions, superblock: Superblock): Wanted[] {
  const wanted: Wanted[] = [];
  for (let piece = 0; piece < pieceCountOf(superblock); piece++) {
    const seqNo = versions.at(piece, superblock.seqNo);
    if (seqNo === undefined) {
      throw new DamagedGenerationError(superblock.seqNo, `object ${pieceKey(piece, superblock.seqNo)} or an earlier version is missing`);
    }
    wanted.push({ piece, seqNo, newest: versions.of(piece).at(-1) === seqNo });
  }
  return wanted;
}

/** The best version of every piece there is, of those too by which the database may have grown since the superblock was written. */
function selectRemains(versions: PieceVersions, superblock: Superblock): Wanted[] {
  const existing = [...versions.pieces()].toSorted((a, b) => a - b);
  const end = pieceCountOf(superblock) + existing.length;
  return existing
    .filter((piece) => piece < end)
    .map((piece) => ({ piece, seqNo: versions.at(piece, superblock.seqNo) ?? versions.of(piece)[0] ?? 0, newest: false }));
}

function pieceCountOf(superblock: Superblock): number {
  return Math.ceil(superblock.databaseSizeBytes / superblock.metadataBlockSizeBytes);
}

/** Undefined if it is not to be had and we take what there is. */
async function fetchPiece(
  { store, superblock, signal }: DownloadOptions,
  piece: number,
  seqNo: number,
  mode: 'exact' | 'failsafe',
): Promise<Uint8Array | undefined> {
  const key = pieceKey(piece, seqNo);
  try {
    const maxSizeBytes = superblock.metadataBlockSizeBytes;
    return await store.get(key, signal === undefined ? { maxSizeBytes } : { maxSizeBytes, signal });
  } catch (error) {
    if (!(error instanceof CorruptedObjectError || error instanceof NoSuchObjectError)) throw error;
    if (mode === 'failsafe') return undefined;
    throw new DamagedGenerationError(superblock.seqNo, error.message, { cause: error });
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function digestOf(file: FileHandle, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1024 * 1024);
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function install(paths: LocalPaths, temporary: string): Promise<void> {
  const directory = dirname(paths.databasePath);
  await rm(paths.paramsPath, { force: true });
  await rm(paths.piecesPath, { force: true });
  await syncDirectory(directory);
  await rm(paths.databasePath, { force: true });
  await rm(`${paths.databasePath}-wal`, { force: true });
  await rm(`${paths.databasePath}-shm`, { force: true });
  await syncDirectory(directory);
  await rename(temporary, paths.databasePath);
  await syncDirectory(directory);
}
