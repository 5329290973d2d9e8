/**
 * Ids for new objects. No object is stored under an id before the epoch in which the id was reserved is durable: else a database that fell
 * back in a crash could hand the id out again.
 */
import type { Epoch } from '../metadata/database.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';

/** Ids reserved at once; a restart loses at most two ranges of them. */
const RANGE_COUNT = 512;

interface Range {
  next: number;
  readonly end: number;
  readonly epoch: Epoch;
}

/** S3QL's name of a data object. */
export function dataObjectKey(id: ObjectId): string {
  return `s3ql_data_${id}`;
}

export class ObjectIds {
  readonly #database: BlockDatabase;
  readonly #requestDurable: () => Promise<void>;
  #usable: Range[] = [];
  #reserved: Range | undefined;
  #durableEpoch: Epoch = -1;
  #waiting: Promise<void> | undefined;

  constructor(database: BlockDatabase, requestDurable: () => Promise<void>) {
    this.#database = database;
    this.#requestDurable = requestDurable;
  }

  /** An id that an object may be stored under now. */
  async take(): Promise<ObjectId> {
    for (;;) {
      const range = this.#usable[0];
      if (range) {
        const id = range.next as ObjectId;
        range.next += 1;
        if (range.next === range.end) this.#usable.shift();
        // The next range becomes durable with an epoch that comes anyway.
        if (this.#usable.length <= 1 && range.end - range.next < RANGE_COUNT / 2) this.#reserve();
        return id;
      }
      this.#reserve();
      await (this.#waiting ??= this.#requestDurable().finally(() => {
        this.#waiting = undefined;
      }));
    }
  }

  #reserve(): void {
    if (this.#reserved) return;
    const first = this.#database.blocks.reserveObjectIds(RANGE_COUNT);
    this.#reserved = { next: first, end: first + RANGE_COUNT, epoch: this.#database.openEpoch };
  }

  epochDurable(epoch: Epoch): void {
    this.#durableEpoch = Math.max(this.#durableEpoch, epoch);
    if (!this.#reserved || this.#reserved.epoch > this.#durableEpoch) return;
    this.#usable.push(this.#reserved);
    this.#reserved = undefined;
  }
}
