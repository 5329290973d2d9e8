/** Random numbers that a seed repeats, for tests too long to be made of fast-check's arbitraries (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** One of the keys, in proportion to their weights. */
  weighted<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key {
    const entries = Object.entries(weights) as Array<[Key, number]>;
    let at = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    throw new RangeError('there is nothing to choose from');
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.below(256);
    return bytes;
  }
}

/** What CI runs: the same cases every time, so that it judges the change and not the luck. */
const CI_SEED = 20_261_122;

/**
 * A seed for a run: the one to repeat (S3QL_TEST_SEED), in CI always the same, else a new one. Whoever uses it prints it when the test
 * fails.
 */
export function newSeed(): number {
  const given = process.env.S3QL_TEST_SEED;
  if (given !== undefined) return Number(given);
  return process.env.CI === undefined ? Date.now() % 2 ** 31 : CI_SEED;
}
