/** What a listing that comes page by page must keep to, so that no server leads us in circles or makes us take foreign objects for ours. */
import { BackendError } from '../errors.ts';

/** In a row. What was deleted may fill pages without an object, but not so many. */
const MAX_EMPTY_PAGES = 1000;

export class ListingPages {
  readonly #host: string;
  readonly #namePrefix: string;
  readonly #continuations = new Set<string>();
  #emptyPages = 0;

  /** @param namePrefix what every name was asked to begin with */
  constructor(host: string, namePrefix: string) {
    this.#host = host;
    this.#namePrefix = namePrefix;
  }

  /**
   * The objects of the next page.
   * @param continuation what the server is asked with for the page after this one; undefined after the last
   * @throws BackendError (final: the same request would end the same way)
   */
  next<T extends { readonly name: string }>(objects: readonly T[], continuation: string | undefined): readonly T[] {
    const foreign = objects.find(({ name }) => !name.startsWith(this.#namePrefix));
    if (foreign !== undefined) throw new BackendError(`${this.#host} lists objects that do not begin with "${this.#namePrefix}"`);
    this.#emptyPages = objects.length === 0 ? this.#emptyPages + 1 : 0;
    if (continuation !== undefined && (this.#continuations.has(continuation) || this.#emptyPages > MAX_EMPTY_PAGES)) {
      throw new BackendError(`${this.#host} lists objects without an end: it begins again with what it has listed already`);
    }
    if (continuation !== undefined) this.#continuations.add(continuation);
    return objects;
  }
}
