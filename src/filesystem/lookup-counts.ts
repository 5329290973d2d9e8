/**
 * How often the kernel was told of each inode. The kernel may know of millions; so this is an open hash table in two typed arrays, 9 bytes a place
 * and 12 to 24 bytes an inode, where a Map of objects takes 150. Linear probing; what is taken out leaves no gap (backward shift), so that years of
 * lookups and forgets cost nothing. Grows and shrinks by the factor two. Inode numbers are above 0; counts are exact up to 2^53: the few that do
 * not fit in a byte are in a map.
 */

const MIN_CAPACITY = 1024;
/** The table has at least 4/3 as many places as inodes, and at most eight times as many. */
const MAX_LOAD = 0.75;
const MIN_LOAD = 0.125;
/** In the byte: the count is in the map. */
const LARGE = 255;
const EMPTY = 0;
/** 2^32 divided by the golden ratio: spreads consecutive numbers. */
const MULTIPLIER = 0x9e37_79b1;

export class LookupCounts {
  #keys = new Float64Array(MIN_CAPACITY);
  #counts = new Uint8Array(MIN_CAPACITY);
  readonly #largeCounts = new Map<number, number>();
  #mask = MIN_CAPACITY - 1;
  #size = 0;

  /** Inodes with a count. */
  get size(): number {
    return this.#size;
  }

  /** Places there are; for tests. */
  get capacity(): number {
    return this.#keys.length;
  }

  /** 0 if there is none. */
  get(id: number): number {
    const place = this.#find(id);
    return this.#keys[place] === EMPTY ? 0 : this.#countAt(place);
  }

  increment(id: number): void {
    let place = this.#find(id);
    if (this.#keys[place] === EMPTY) {
      if (this.#size + 1 > this.#keys.length * MAX_LOAD) {
        this.#resize(this.#keys.length * 2);
        place = this.#find(id);
      }
      this.#keys[place] = id;
      this.#size += 1;
    }
    this.#setCount(place, this.#countAt(place) + 1);
  }

  /** Returns what is left; at 0 the inode is gone. Undefined if there was none. */
  subtract(id: number, count: number): number | undefined {
    const place = this.#find(id);
    if (this.#keys[place] === EMPTY) return undefined;
    const left = this.#countAt(place) - count;
    if (left > 0) {
      this.#setCount(place, left);
      return left;
    }
    this.#largeCounts.delete(id);
    this.#remove(place);
    return 0;
  }

  clear(): void {
    this.#allocate(MIN_CAPACITY);
    this.#largeCounts.clear();
    this.#size = 0;
  }

  #countAt(place: number): number {
    const count = this.#counts[place] as number;
    return count === LARGE ? (this.#largeCounts.get(this.#keys[place] as number) as number) : count;
  }

  #setCount(place: number, count: number): void {
    const id = this.#keys[place] as number;
    if (count >= LARGE) this.#largeCounts.set(id, count);
    else if (this.#counts[place] === LARGE) this.#largeCounts.delete(id);
    this.#counts[place] = Math.min(count, LARGE);
  }

  /** The place of the inode, or the empty one where it would be. */
  #find(id: number): number {
    let place = this.#home(id);
    for (let key = this.#keys[place]; key !== EMPTY && key !== id; key = this.#keys[place]) place = (place + 1) & this.#mask;
    return place;
  }

  #home(id: number): number {
    const high = Math.floor(id / 0x1_0000_0000);
    const hash = Math.imul((id | 0) ^ Math.imul(high, 31), MULTIPLIER);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #remove(place: number): void {
    let gap = place;
    for (let next = (gap + 1) & this.#mask; this.#keys[next] !== EMPTY; next = (next + 1) & this.#mask) {
      const home = this.#home(this.#keys[next] as number);
      // It may move if its home does not lie between the gap and itself.
      if (((next - home) & this.#mask) >= ((next - gap) & this.#mask)) {
        this.#keys[gap] = this.#keys[next] as number;
        this.#counts[gap] = this.#counts[next] as number;
        gap = next;
      }
    }
    this.#keys[gap] = EMPTY;
    this.#counts[gap] = 0;
    this.#size -= 1;
    if (this.#keys.length > MIN_CAPACITY && this.#size < this.#keys.length * MIN_LOAD) this.#resize(this.#keys.length / 2);
  }

  #resize(capacity: number): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#allocate(capacity);
    for (let old = 0; old < keys.length; old += 1) {
      const key = keys[old] as number;
      if (key === EMPTY) continue;
      const place = this.#find(key);
      this.#keys[place] = key;
      this.#counts[place] = counts[old] as number;
    }
  }

  #allocate(capacity: number): void {
    this.#keys = new Float64Array(capacity);
    this.#counts = new Uint8Array(capacity);
    this.#mask = capacity - 1;
  }
}
