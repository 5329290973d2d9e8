/**
 * A bounded map that forgets what was not used for longest, roughly: entries live in a young and an old generation; using one makes it
 * young; when the young generation is full, the old one is dropped and the young one takes its place. Holds at most twice `generationSize`
 * entries and, unlike an exact LRU list, costs nothing on a hit in the young generation.
 */
export class TwoGenerationMap<K, V> {
  readonly #generationSize: number;
  readonly #onEvict: ((values: IterableIterator<V>) => void) | undefined;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** `onEvict` is called with the values that are about to be dropped. */
  constructor(generationSize: number, onEvict?: (values: IterableIterator<V>) => void) {
    this.#generationSize = generationSize;
    this.#onEvict = onEvict;
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const aged = this.#old.get(key);
    if (aged !== undefined) {
      this.#old.delete(key);
      this.#insert(key, aged);
    }
    return aged;
  }

  set(key: K, value: V): void {
    this.#old.delete(key);
    this.#insert(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #insert(key: K, value: V): void {
    if (this.#young.size >= this.#generationSize) {
      if (this.#old.size > 0) this.#onEvict?.(this.#old.values());
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
