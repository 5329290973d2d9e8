/** Time that passes only when somebody sleeps: tests of bandwidth measure exactly and wait for nothing. */
import type { BandwidthClock } from '../../src/backends/bandwidth/token-bucket.ts';

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

export class FakeBandwidthClock implements BandwidthClock {
  nowMs = 0;
  readonly #startMs: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param start local time */
  constructor(start: string = '2026-03-02T12:00:00') {
    this.#startMs = Date.parse(start);
  }

  now(): number {
    return this.nowMs;
  }

  date(): Date {
    return new Date(this.#startMs + this.nowMs);
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper = { untilMs: this.nowMs + delayMs, wake: resolve };
    this.#sleepers.add(sleeper);
    signal.addEventListener('abort', () => {
      this.#sleepers.delete(sleeper);
      resolve();
    });
    return promise;
  }

  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  /** Lets time pass until the promise is settled. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([settled, turnOfTheEventLoop()]))) {
      const [next] = [...this.#sleepers].toSorted((a, b) => a.untilMs - b.untilMs);
      // It waits for something else than time.
      if (next === undefined) continue;
      this.#sleepers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.untilMs);
      next.wake();
    }
    return promise;
  }
}

/** Whatever can go on without time passing has done so afterwards. */
export function turnOfTheEventLoop(): Promise<false> {
  return new Promise((resolve) => void setImmediate(resolve, false as const));
}
