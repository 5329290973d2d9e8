/**
 * How many files the generations in the store have, for whoever has to choose one. Each generation is put together in a scratch file from the
 * one before it, so every piece that the store has is downloaded once at most.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RequestOptions } from '../backends/backend.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import type { Generation } from './generations.ts';
import { pieceKey } from './object-keys.ts';
import { PieceVersions } from './piece-versions.ts';
import type { Superblock } from './superblock.ts';

/** Everything but directories and the control file. */
const COUNT = 'SELECT count(*) AS count FROM inodes WHERE (mode & 61440) != 16384 AND id != 2';

const log = logger('metadata');

export interface FileCountOptions extends RequestOptions {
  readonly store: ObjectStore;
  /** An existing directory with room for a copy of the metadata. */
  readonly directory: string;
  readonly generations: readonly Generation[];
  readonly connectionLimit: number;
  readonly progress: ProgressReporter;
}

/** By sequence number; what cannot be read is left out. */
export async function countFilesOfGenerations(options: FileCountOptions): Promise<ReadonlyMap<number, number>> {
  const { store, directory, generations, progress, signal } = options;
  const counts = new Map<number, number>();
  const versions = await PieceVersions.list(store, signal === undefined ? {} : { signal });
  const scratch = mkdtempSync(join(directory, 'count-'));
  try {
    const path = join(scratch, 'metadata.db');
    /** Which version of each piece the file has. */
    const present = new Map<number, number>();
    using step = progress.step('Counting files', 'generations');
    for (const [done, { seqNo, superblock }] of generations.entries()) {
      step.update({ done, total: generations.length });
      if (superblock === undefined) continue;
      const count = await countFiles(options, path, versions, present, superblock);
      if (count !== undefined) counts.set(seqNo, count);
    }
    return counts;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function countFiles(
  { store, connectionLimit, signal }: FileCountOptions,
  path: string,
  versions: PieceVersions,
  present: Map<number, number>,
  { seqNo, databaseSizeBytes, metadataBlockSizeBytes }: Superblock,
): Promise<number | undefined> {
  const pieces = Array.from({ length: Math.ceil(databaseSizeBytes / metadataBlockSizeBytes) }, (_, piece) => piece);
  try {
    await using file = await open(path, 'a+').then(async (created) => {
      await created.close();
      return open(path, 'r+');
    });
    await forEachLimit(
      pieces.filter((piece) => present.get(piece) !== versions.at(piece, seqNo)),
      connectionLimit,
      async (piece) => {
        const version = versions.at(piece, seqNo);
        if (version === undefined) throw new NoSuchObjectError(pieceKey(piece, seqNo));
        const request = { maxSizeBytes: metadataBlockSizeBytes, ...(signal === undefined ? {} : { signal }) };
        const bytes = await store.get(pieceKey(piece, version), request);
        present.delete(piece);
        await file.write(bytes, 0, bytes.length, piece * metadataBlockSizeBytes);
        present.set(piece, version);
      },
      signal,
    );
    await file.truncate(databaseSizeBytes);
    // What was cut off may be needed again.
    for (const piece of present.keys()) if ((piece + 1) * metadataBlockSizeBytes > databaseSizeBytes) present.delete(piece);
    using database = new DatabaseSync(path);
    return Number(database.prepare(COUNT).get()?.['count']);
  } catch (error) {
    signal?.throwIfAborted();
    const isUnreadable = error instanceof CorruptedObjectError || error instanceof NoSuchObjectError || 'errcode' in (error as object);
    if (!isUnreadable) throw error;
    log.debug(error, 'Generation %d cannot be counted', seqNo);
    return undefined;
  }
}
