/**
 * Deletes generations that the retention policy gives up, and the versions of pieces that no kept generation needs.
 *
 * The catalogue is read from the store once; after that this machine, being the only writer, adds what it uploads. Superblocks are deleted
 * before pieces, so an interruption leaves pieces that nobody needs, which the next expiry finds, and never a generation without its pieces.
 */
import type { ObjectKey, RequestOptions } from '../backends/backend.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { type Generation, listGenerations } from './generations.ts';
import { generationKey, pieceKey } from './object-keys.ts';
import { PieceVersions } from './piece-versions.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { Superblock } from './superblock.ts';

export interface ExpiryResult {
  readonly deletedGenerationCount: number;
  readonly deletedPieceCount: number;
}

/** What a generation needs of each piece: all pieces below `pieceCount` (infinite if unknown), as of `seqNo`. */
interface Need {
  readonly seqNo: number;
  readonly pieceCount: number;
}

export class GenerationCatalog {
  readonly #store: ObjectStore;
  #generations: Generation[];
  readonly #versions: PieceVersions;

  constructor(store: ObjectStore, generations: readonly Generation[], versions: PieceVersions) {
    this.#store = store;
    this.#generations = [...generations];
    this.#versions = versions;
  }

  static async load(store: ObjectStore, options: RequestOptions & { readonly connectionLimit?: number } = {}): Promise<GenerationCatalog> {
    const generations = await listGenerations(store, options);
    const versions = await PieceVersions.list(store, options.signal === undefined ? {} : { signal: options.signal });
    return new GenerationCatalog(store, generations, versions);
  }

  /** Newest first. */
  get generations(): readonly Generation[] {
    return this.#generations;
  }

  /** To be called when a superblock was published, with the pieces that were uploaded under its sequence number. */
  add(superblock: Superblock, uploadedPieces: readonly number[]): void {
    const { seqNo } = superblock;
    this.#generations = [
      { seqNo, superblock, problem: undefined },
      ...this.#generations.filter((generation) => generation.seqNo !== seqNo),
    ].toSorted((a, b) => b.seqNo - a.seqNo);
    for (const piece of uploadedPieces) this.#versions.add(piece, seqNo);
  }

  /** Deletes what the policy gives up. Not while an upload is under way: its pieces belong to no generation yet. */
  async expire(policy: RetentionPolicy, nowMs: number, options: RequestOptions = {}): Promise<ExpiryResult> {
    const newest = this.#generations[0];
    if (newest === undefined) return { deletedGenerationCount: 0, deletedPieceCount: 0 };
    const dated = this.#generations.map(({ seqNo, superblock }) => ({
      seqNo,
      dateMs: superblock && superblock.lastModifiedSeconds * 1000,
    }));
    const keptNumbers = policy(dated, nowMs);
    const kept = this.#generations.filter((generation) => generation === newest || keptNumbers.has(generation.seqNo));
    const expired = this.#generations.filter((generation) => !kept.includes(generation));
    await this.#delete(
      expired.map(({ seqNo }) => generationKey(seqNo)),
      options,
    );
    this.#generations = kept;

    const unneeded = unneededPieces(this.#versions, kept);
    await this.#delete(
      unneeded.map(({ piece, seqNo }) => pieceKey(piece, seqNo)),
      options,
    );
    for (const { piece, seqNo } of unneeded) this.#versions.remove(piece, seqNo);
    return { deletedGenerationCount: expired.length, deletedPieceCount: unneeded.length };
  }

  async #delete(keys: readonly ObjectKey[], options: RequestOptions): Promise<void> {
    if (keys.length > 0) await this.#store.deleteMany(keys, options);
  }
}

/**
 * The versions of pieces that no generation needs. Versions newer than the newest generation are left alone. Linear in the number of
 * versions plus the number of pieces times the number of generations.
 */
export function unneededPieces(
  versions: PieceVersions,
  generations: readonly Generation[],
): Array<{ readonly piece: number; readonly seqNo: number }> {
  const needs: Need[] = generations
    .map(({ seqNo, superblock }) => ({
      seqNo,
      pieceCount: superblock ? Math.ceil(superblock.databaseSizeBytes / superblock.metadataBlockSizeBytes) : Number.POSITIVE_INFINITY,
    }))
    .toSorted((a, b) => a.seqNo - b.seqNo);
  const newestSeqNo = needs.at(-1)?.seqNo ?? -1;
  const unneeded: Array<{ piece: number; seqNo: number }> = [];
  for (const piece of versions.pieces()) {
    const numbers = versions.of(piece);
    let next = 0;
    numbers.forEach((seqNo, index) => {
      if (seqNo > newestSeqNo) return;
      // The version serves the generations from its own number up to the next version's.
      const end = numbers[index + 1] ?? Number.POSITIVE_INFINITY;
      let needed = false;
      for (; next < needs.length && (needs[next] as Need).seqNo < end; next++) {
        const need = needs[next] as Need;
        needed ||= need.seqNo >= seqNo && piece < need.pieceCount;
      }
      if (!needed) unneeded.push({ piece, seqNo });
    });
  }
  return unneeded;
}
