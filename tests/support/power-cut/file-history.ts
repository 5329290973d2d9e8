/**
 * What a disk may hold of one file after a power cut: the content of the last sync, and everything since. As journalling file systems allow:
 *
 * - pages written since the sync may be there or not, each by itself, in any version, and torn at a sector;
 * - the size follows the writes that grew the file, as late as it likes;
 * - truncating and punching are in the journal of the disk, in one order with names: they happened up to some moment, and not after it.
 *
 * What was there before a truncation that happened never comes back.
 */
import type { Random } from '../random.ts';

export const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
/** Nothing that is tested here goes on for so long without a sync. */
const MAX_CHANGES = 100_000;

type Change =
  | { readonly kind: 'page'; readonly page: number; readonly bytes: Uint8Array }
  | { readonly kind: 'grow'; readonly sizeBytes: number }
  /** Zeros from `start` to `end`; `sizeBytes` if the size changes too. `moment`: its place in the disk's journal. */
  | { readonly kind: 'clear'; readonly start: number; readonly end: number; readonly sizeBytes?: number; readonly moment: number };

export interface FileContent {
  readonly sizeBytes: number;
  /** By number; the others are holes. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

/** How a disk treats what was not synced. */
export type Fate = 'lost' | 'kept' | 'random';

export class FileHistory {
  #sizeBytes: number;
  readonly #pages: Map<number, Uint8Array>;
  #changes: Change[] = [];

  constructor(content: FileContent = { sizeBytes: 0, pages: new Map() }) {
    this.#sizeBytes = content.sizeBytes;
    this.#pages = new Map(content.pages);
  }

  /** `bytes`: the whole page as it is after a write. */
  wrote(page: number, bytes: Uint8Array): void {
    this.#add({ kind: 'page', page, bytes: bytes.slice() });
  }

  grew(sizeBytes: number): void {
    this.#add({ kind: 'grow', sizeBytes });
  }

  cleared(start: number, end: number, moment: number, sizeBytes?: number): void {
    this.#add({ kind: 'clear', start, end, moment, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
  }

  /** The last moment of the disk's journal that this file needs, 0 if none. */
  get lastMoment(): number {
    return this.#changes.reduce((last, change) => (change.kind === 'clear' ? change.moment : last), 0);
  }

  /** All of it is on the disk now. */
  sync(): void {
    for (const change of this.#changes) {
      if (change.kind === 'page') this.#pages.set(change.page, change.bytes);
      else if (change.kind === 'grow') this.#sizeBytes = change.sizeBytes;
      else {
        this.#sizeBytes = change.sizeBytes ?? this.#sizeBytes;
        for (const [page, bytes] of this.#pages) {
          const rest = zeroed(page, bytes, change.start, change.end);
          if (rest === undefined) this.#pages.delete(page);
          else this.#pages.set(page, rest);
        }
      }
    }
    this.#changes = [];
  }

  /** A content that a disk may have whose journal got as far as `lastMoment`. */
  afterCut(random: Random, fate: Fate, lastMoment: number): FileContent {
    const sizes = [this.#sizeBytes];
    const versions = new Map<number, Array<Uint8Array | undefined>>([...this.#pages].map(([page, bytes]) => [page, [bytes]]));
    for (const change of this.#changes) {
      if (change.kind === 'page') versions.set(change.page, [...(versions.get(change.page) ?? [undefined]), change.bytes]);
      else if (change.kind === 'grow') sizes.push(change.sizeBytes);
      else {
        // Later writes went to places that nothing refers to.
        if (change.moment > lastMoment) break;
        if (change.sizeBytes !== undefined) sizes.splice(0, sizes.length, change.sizeBytes);
        for (const [page, contents] of versions) {
          versions.set(
            page,
            contents.map((bytes) => bytes && zeroed(page, bytes, change.start, change.end)),
          );
        }
      }
    }
    const sizeBytes = chosen(sizes, random, fate) ?? 0;
    const pages = new Map<number, Uint8Array>();
    for (const [page, contents] of versions) {
      const bytes = page * PAGE_BYTES < sizeBytes ? tornPage(contents, random, fate) : undefined;
      // Nothing behind the end shows when the file grows again.
      const within = bytes && zeroed(page, bytes, sizeBytes, Infinity);
      if (within !== undefined) pages.set(page, within);
    }
    return { sizeBytes, pages };
  }

  #add(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > MAX_CHANGES) throw new Error('a file was changed too often without a sync');
  }
}

/** The page with zeros from `start` to `end` of the file; undefined if nothing else is left. */
function zeroed(page: number, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const from = Math.max(0, start - page * PAGE_BYTES);
  const to = Math.min(PAGE_BYTES, end - page * PAGE_BYTES);
  if (from >= to) return bytes;
  return from === 0 && to === PAGE_BYTES ? undefined : bytes.slice().fill(0, from, to);
}

function chosen<T>(versions: readonly T[], random: Random, fate: Fate): T | undefined {
  if (fate === 'lost') return versions[0];
  return fate === 'kept' ? versions.at(-1) : random.pick(versions);
}

function tornPage(versions: ReadonlyArray<Uint8Array | undefined>, random: Random, fate: Fate): Uint8Array | undefined {
  const bytes = chosen(versions, random, fate);
  if (fate !== 'random' || versions.length === 1 || random.below(4) !== 0) return bytes;
  const other = random.pick(versions);
  const torn = new Uint8Array(PAGE_BYTES);
  const at = random.below(PAGE_BYTES / SECTOR_BYTES) * SECTOR_BYTES;
  if (bytes !== undefined) torn.set(bytes.subarray(0, at));
  if (other !== undefined) torn.set(other.subarray(at), at);
  return torn;
}
