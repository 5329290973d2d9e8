/** When to try a failed request again (S3QL behaviour 1.3, "Retry policy"). Time, chance and pauses are injected, so tests need none. */
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface RetryPolicy {
  /** The first pause; doubled with each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Pauses are up to this part longer, at random, so that many clients do not come back in step. */
  readonly jitter: number;
  /** How long to go on after the first failure. */
  readonly giveUpAfterMs: number;
  /** What a store asks for by Retry-After is honoured within these bounds. */
  readonly minRetryAfterMs: number;
  readonly maxRetryAfterMs: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  firstDelayMs: 20,
  maxDelayMs: 5 * 60_000,
  jitter: 0.5,
  giveUpAfterMs: 24 * 3_600_000,
  minRetryAfterMs: 1000,
  maxRetryAfterMs: 300_000,
};

/** What the policy needs from the world. */
export interface RetryClock {
  /** Milliseconds from any origin. */
  now(): number;
  /** 0 to 1. */
  random(): number;
  /** @throws the signal's reason */
  sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void>;
}

export const systemRetryClock: RetryClock = {
  now: () => performance.now(),
  random: () => Math.random(),
  async sleep(delayMs, signal) {
    try {
      await sleepFor(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** The pauses of one request. */
export class RetrySchedule {
  readonly #policy: RetryPolicy;
  readonly #clock: RetryClock;
  #delayMs: number;
  #firstFailureMs: number | undefined;

  constructor(policy: RetryPolicy, clock: RetryClock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#delayMs = policy.firstDelayMs;
  }

  /** How long to wait after this failure, or undefined to give up. @param retryAfterMs what the store asked for */
  nextDelayMs(retryAfterMs: number | undefined): number | undefined {
    const { maxDelayMs, jitter, giveUpAfterMs, minRetryAfterMs, maxRetryAfterMs } = this.#policy;
    const nowMs = this.#clock.now();
    this.#firstFailureMs ??= nowMs;
    const delayMs =
      retryAfterMs === undefined
        ? Math.min(this.#delayMs * (1 + jitter * this.#clock.random()), maxDelayMs)
        : Math.min(Math.max(retryAfterMs, minRetryAfterMs), maxRetryAfterMs);
    this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs);
    return nowMs - this.#firstFailureMs + delayMs > giveUpAfterMs ? undefined : delayMs;
  }
}
