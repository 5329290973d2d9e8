/**
 * What the requests to a store have come to. The figures lie in memory that threads can share: the thread that makes the requests counts, any
 * other reads without asking. Numbers of 53 bits; one thread writes.
 */

export const METERED_OPERATIONS = ['store', 'fetch', 'stat', 'delete', 'deleteMany', 'copy', 'list'] as const;
export type MeteredOperation = (typeof METERED_OPERATIONS)[number];

/** What one kind of operation has come to. A retry is an operation of its own. */
export interface OperationMetrics {
  readonly count: number;
  /** Of these, how many failed. */
  readonly failures: number;
  /** Payload sent or received. */
  readonly payloadBytes: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

export interface StoreMetricsSnapshot {
  readonly operations: Readonly<Record<MeteredOperation, OperationMetrics>>;
  /** How many operations were tried again. */
  readonly retries: number;
}

const FIELDS = ['count', 'failures', 'payloadBytes', 'totalMs', 'longestMs'] as const satisfies readonly (keyof OperationMetrics)[];
const RETRIES_INDEX = METERED_OPERATIONS.length * FIELDS.length;

export class StoreMetrics {
  /** Can be sent to another thread, and StoreMetrics made of it there. */
  readonly memory: SharedArrayBuffer;
  readonly #figures: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((RETRIES_INDEX + 1) * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#figures = new Float64Array(memory);
  }

  /** Adds to the figures; of `longestMs` the larger one stays. */
  add(name: MeteredOperation, added: Partial<OperationMetrics>): void {
    for (const field of FIELDS) {
      const index = indexOf(name, field);
      const before = this.#at(index);
      const value = added[field] ?? 0;
      this.#figures[index] = field === 'longestMs' ? Math.max(before, value) : before + value;
    }
  }

  countRetry(): void {
    this.#figures[RETRIES_INDEX] = this.#at(RETRIES_INDEX) + 1;
  }

  /** The figures so far; a copy. */
  snapshot(): StoreMetricsSnapshot {
    const operations = Object.fromEntries(
      METERED_OPERATIONS.map((name) => [name, Object.fromEntries(FIELDS.map((field) => [field, this.#at(indexOf(name, field))]))]),
    );
    return { operations: operations as unknown as StoreMetricsSnapshot['operations'], retries: this.#at(RETRIES_INDEX) };
  }

  #at(index: number): number {
    return this.#figures[index] ?? 0;
  }
}

function indexOf(name: MeteredOperation, field: keyof OperationMetrics): number {
  return METERED_OPERATIONS.indexOf(name) * FIELDS.length + FIELDS.indexOf(field);
}
