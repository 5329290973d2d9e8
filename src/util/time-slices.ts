/**
 * Long work on a thread that must stay free for others: the worker asks between two steps whether its slice is over, and if so lets
 * everything else that waits run first.
 */
import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 3;

export class TimeSlices {
  readonly #sliceMs: number;
  #endMs: number;

  constructor(sliceMs: number = SLICE_MS) {
    this.#sliceMs = sliceMs;
    this.#endMs = performance.now() + sliceMs;
  }

  /** Whether to `await next()` before the next step. */
  get isOver(): boolean {
    return performance.now() >= this.#endMs;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#endMs = performance.now() + this.#sliceMs;
  }
}
