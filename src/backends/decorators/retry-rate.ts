/** Notices when retries become so many, over all requests, that something is wrong with the store or the network as a whole. */

const WINDOW_MS = 60_000;
const ALARMING_PER_SECOND = 5;

export class RetryRate {
  readonly #alarm: (perSecond: number) => void;
  #windowStartMs: number | undefined;
  #count = 0;

  /** @param alarm called at most once a minute */
  constructor(alarm: (perSecond: number) => void) {
    this.#alarm = alarm;
  }

  /** Counts a retry. @param nowMs milliseconds from any origin */
  count(nowMs: number): void {
    this.#windowStartMs ??= nowMs;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= WINDOW_MS) {
      const perSecond = this.#count / (elapsedMs / 1000);
      this.#windowStartMs = nowMs;
      this.#count = 0;
      if (perSecond > ALARMING_PER_SECOND) this.#alarm(perSecond);
    }
    this.#count += 1;
  }
}
