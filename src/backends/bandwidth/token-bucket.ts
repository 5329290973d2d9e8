/**
 * Lets bytes pass at a rate. Who takes more than there is goes into debt, and the next one waits until it is paid: pieces of any size pass, and
 * over time the rate is kept to the byte. Takers pass in the order in which they came, so transfers that take piece by piece get equal
 * shares.
 */
import { Semaphore } from '../../util/semaphore.ts';

/** What a bucket needs from the world. */
export interface BandwidthClock {
  /** Milliseconds from any origin; never runs backwards. */
  now(): number;
  /** For the time of day. */
  date(): Date;
  /** Resolves early, without an error, when the signal is aborted. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** What may be saved up while nothing passes. */
const BURST_MS = 100;
/** Not longer without a look at the rate, which may change with the time of day. */
const MAX_SLEEP_MS = 30_000;

export class TokenBucket {
  readonly #clock: BandwidthClock;
  readonly #rate: () => number;
  readonly #turn = new Semaphore(1);
  /** Bytes that may pass now; negative: debt. */
  #balance = 0;
  #refilledMs: number;
  #rateChange = new AbortController();

  /** @param rate bytes per second at this moment; Infinity: no limit */
  constructor(rate: () => number, clock: BandwidthClock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#refilledMs = clock.now();
  }

  /** Waits until bytes may pass, and takes them. @throws the signal's reason */
  async take(sizeBytes: number, signal?: AbortSignal): Promise<void> {
    await this.#turn.run(async () => {
      while (!this.#refill()) {
        const wakeUp = this.#rateChange.signal;
        await this.#clock.sleep(this.#delayMs(), signal === undefined ? wakeUp : AbortSignal.any([wakeUp, signal]));
        signal?.throwIfAborted();
      }
      if (this.#rate() !== Infinity) this.#balance -= sizeBytes;
    }, signal);
  }

  /** To be called when `rate` gives something else from now on: nobody goes on waiting for the old rate. */
  rateChanged(): void {
    this.#rateChange.abort();
    this.#rateChange = new AbortController();
  }

  /** Brings the balance up to date. Returns whether there is no debt. */
  #refill(): boolean {
    const rate = this.#rate();
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - this.#refilledMs;
    this.#refilledMs = nowMs;
    this.#balance = rate === Infinity ? 0 : Math.min(this.#balance + (rate * elapsedMs) / 1000, (rate * BURST_MS) / 1000);
    return this.#balance >= 0;
  }

  #delayMs(): number {
    return Math.min(Math.ceil((-this.#balance / this.#rate()) * 1000), MAX_SLEEP_MS);
  }
}
