/**
 * How many subdirectories a directory has (its link count is 2 more), which the schema does not store. Counted on first use, then kept up
 * to date by the operations; huge directories are counted in slices so that the thread stays free.
 */
import { setImmediate } from 'node:timers/promises';
import type { EntryTable } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';

const SLICE_ENTRIES = 2_000;
/** Directories up to this many entries are counted at once. */
const SYNCHRONOUS_SLICES = 4;
const MAX_CACHED = 50_000;

export class SubdirectoryCounts {
  readonly #entries: Pick<EntryTable, 'countDirectories'>;
  readonly #counts = new Map<InodeId, number>();
  /** Directories being counted, with how often they changed meanwhile. */
  readonly #running = new Map<InodeId, { changes: number; promise: Promise<number> }>();

  constructor(entries: Pick<EntryTable, 'countDirectories'>) {
    this.#entries = entries;
  }

  get(directory: InodeId): number | Promise<number> {
    const cached = this.#counts.get(directory);
    if (cached !== undefined) return cached;
    const running = this.#running.get(directory);
    if (running !== undefined) return running.promise;

    let count = 0;
    let cookie = 0;
    for (let slice = 0; slice < SYNCHRONOUS_SLICES; slice += 1) {
      const part = this.#entries.countDirectories(directory, cookie, SLICE_ENTRIES);
      count += part.count;
      if (part.nextCookie === undefined) return this.#remember(directory, count);
      cookie = part.nextCookie;
    }
    const state = { changes: 0, promise: Promise.resolve(0) };
    state.promise = this.#countSlowly(directory, state).finally(() => this.#running.delete(directory));
    this.#running.set(directory, state);
    return state.promise;
  }

  /** A new directory has none: saves counting it. */
  created(directory: InodeId): void {
    this.#remember(directory, 0);
  }

  /** A subdirectory came (+1) or went (-1). */
  adjust(directory: InodeId, difference: number): void {
    const count = this.#counts.get(directory);
    if (count !== undefined) this.#counts.set(directory, count + difference);
    const running = this.#running.get(directory);
    if (running !== undefined) running.changes += 1;
  }

  /** The directory is gone, or changed in ways nobody counted. */
  invalidate(directory: InodeId): void {
    this.#counts.delete(directory);
    const running = this.#running.get(directory);
    if (running !== undefined) running.changes += 1;
  }

  async #countSlowly(directory: InodeId, state: { changes: number }): Promise<number> {
    for (;;) {
      const changesBefore = state.changes;
      let count = 0;
      let cookie: number | undefined = 0;
      while (cookie !== undefined) {
        await setImmediate();
        const part: { count: number; nextCookie: number | undefined } = this.#entries.countDirectories(directory, cookie, SLICE_ENTRIES);
        count += part.count;
        cookie = part.nextCookie;
      }
      if (state.changes === changesBefore) return this.#remember(directory, count);
    }
  }

  #remember(directory: InodeId, count: number): number {
    if (this.#counts.size >= MAX_CACHED) {
      const oldest = this.#counts.keys().next();
      if (oldest.done !== true) this.#counts.delete(oldest.value);
    }
    this.#counts.set(directory, count);
    return count;
  }
}
