/** The data objects that the store has, by id: two numbers per object, sorted, so that ten million fit in memory and merge with a table. */
import type { RequestOptions } from '../backends/backend.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { ProgressReporter } from '../util/progress.ts';

const DATA_PREFIX = 's3ql_data_';
const DATA_KEY = /^s3ql_data_([1-9]\d{0,15})$/;
const SIZE_UNKNOWN = -1;

export class ObjectListing {
  /** Ascending. */
  readonly ids: Float64Array;
  readonly #sizes: Float64Array;

  /** Sizes of -1 are unknown. */
  constructor(objects: ReadonlyArray<readonly [id: number, storedSizeBytes: number]>) {
    const sorted = objects.toSorted((a, b) => a[0] - b[0]);
    this.ids = Float64Array.from(sorted, ([id]) => id);
    this.#sizes = Float64Array.from(sorted, ([, size]) => size);
  }

  /** Keys that are no data objects of S3QL are left out. */
  static async load(
    store: Pick<ObjectStore, 'list'>,
    { progress, ...options }: RequestOptions & { readonly progress: ProgressReporter },
  ): Promise<ObjectListing> {
    using step = progress.step('Listing objects', 'objects');
    const objects: Array<[number, number]> = [];
    for await (const { key, storedSizeBytes } of store.list(DATA_PREFIX, options)) {
      const id = Number(DATA_KEY.exec(key)?.[1]);
      if (!Number.isSafeInteger(id)) continue;
      objects.push([id, storedSizeBytes ?? SIZE_UNKNOWN]);
      step.update({ done: objects.length });
    }
    return new ObjectListing(objects);
  }

  get highestId(): number {
    return this.ids.at(-1) ?? 0;
  }

  has(id: number): boolean {
    return this.#find(id) >= 0;
  }

  /** Bytes that the object takes in the store; undefined if there is no such object or the store does not say. */
  sizeOf(id: number): number | undefined {
    const size = this.#sizes[this.#find(id)];
    return size === undefined || size === SIZE_UNKNOWN ? undefined : size;
  }

  /** Ids that are here and not in `others`, which must ascend. */
  *without(others: Iterable<number>): Generator<ObjectId> {
    const known = others[Symbol.iterator]();
    try {
      let next = known.next();
      for (const id of this.ids) {
        while (!next.done && next.value < id) next = known.next();
        if (next.done || next.value !== id) yield id as ObjectId;
      }
    } finally {
      // Else the statement behind it would stay open.
      known.return?.();
    }
  }

  #find(id: number): number {
    let low = 0;
    let high = this.ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.ids[middle] as number;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
