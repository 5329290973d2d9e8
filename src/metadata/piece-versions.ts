/**
 * Which versions of which pieces of the database file the store has. A generation consists, for each piece, of the version with the
 * highest sequence number that is not above the generation's own.
 */
import type { RequestOptions } from '../backends/backend.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { parsePieceKey, PIECE_PREFIX } from './object-keys.ts';

export class PieceVersions {
  /** Sequence numbers of each piece, ascending and each once if `#sorted` has the piece. */
  readonly #versions = new Map<number, number[]>();
  readonly #sorted = new Set<number>();

  static async list(store: ObjectStore, options?: RequestOptions): Promise<PieceVersions> {
    const versions = new PieceVersions();
    for await (const { key } of store.list(PIECE_PREFIX, options)) {
      const parsed = parsePieceKey(key);
      if (parsed !== undefined) versions.add(parsed.piece, parsed.seqNo);
    }
    return versions;
  }

  pieces(): IterableIterator<number> {
    return this.#versions.keys();
  }

  add(piece: number, seqNo: number): void {
    const versions = this.#versions.get(piece);
    if (versions === undefined) this.#versions.set(piece, [seqNo]);
    else versions.push(seqNo);
    this.#sorted.delete(piece);
  }

  remove(piece: number, seqNo: number): void {
    const kept = this.of(piece).filter((version) => version !== seqNo);
    if (kept.length > 0) this.#versions.set(piece, kept);
    else this.#versions.delete(piece);
  }

  /** Sequence numbers of a piece's versions, ascending. */
  of(piece: number): readonly number[] {
    const versions = this.#versions.get(piece) ?? [];
    if (versions.length === 0 || this.#sorted.has(piece)) return versions;
    const sorted = [...new Set(versions)].toSorted((a, b) => a - b);
    this.#versions.set(piece, sorted);
    this.#sorted.add(piece);
    return sorted;
  }

  /** The highest sequence number of all; 0 if there are no pieces. */
  highest(): number {
    let highest = 0;
    for (const piece of this.#versions.keys()) highest = Math.max(highest, this.of(piece).at(-1) ?? 0);
    return highest;
  }

  /** The version of the piece that belongs to a generation. */
  at(piece: number, seqNo: number): number | undefined {
    return this.of(piece).findLast((version) => version <= seqNo);
  }
}
