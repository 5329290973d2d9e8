/**
 * Whether the store works, as far as the mount knows: from every request (that the store answers at all), and from what is written (that it is
 * taken). Closes the write gate while writing fails for good, and opens it when it succeeds again; since nothing may be left to write by then,
 * it tries to, from time to time.
 */
import { BackendError, FileSystemLostError, NoSpaceError } from '../backends/errors.ts';
import { logger } from '../util/log.ts';
import { withoutSecrets } from '../util/without-secrets.ts';
import type { WriteGate } from './write-gate.ts';

/** So long without an answer is more than a hiccup. */
const DOWN_AFTER_MS = 10_000;
const PROBE_INTERVAL_MS = 30_000;

const log = logger('mount');

export interface StoreReport {
  readonly answers: boolean;
  /** Since when it has not. */
  readonly failingSinceMs: number | undefined;
  readonly lastError: { readonly message: string; readonly atMs: number } | undefined;
}

export interface StoreHealthTimes {
  readonly downAfterMs: number;
  readonly probeIntervalMs: number;
}

export class StoreHealth implements Disposable {
  readonly #gate: WriteGate;
  readonly #times: StoreHealthTimes;
  #failingSinceMs: number | undefined;
  #lastError: StoreReport['lastError'];
  #isDown = false;
  #downTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #isProbing = false;
  /** Called when the store turns out to be down, and when it is back. */
  onChange: () => void = () => {};
  /** Writes something small to the store; whether that means that everything else can be written again. */
  probe: () => Promise<boolean> = () => Promise.resolve(false);

  constructor(gate: WriteGate, times: StoreHealthTimes = { downAfterMs: DOWN_AFTER_MS, probeIntervalMs: PROBE_INTERVAL_MS }) {
    this.#gate = gate;
    this.#times = times;
  }

  /** No answer for more than a moment. */
  get isDown(): boolean {
    return this.#isDown;
  }

  report(): StoreReport {
    return { answers: this.#failingSinceMs === undefined, failingSinceMs: this.#failingSinceMs, lastError: this.#lastError };
  }

  /** A request failed because the store does not work; undefined: one was answered after that. */
  readonly noteState = (trouble: BackendError | undefined): void => {
    if (trouble !== undefined) {
      this.#lastError = { message: withoutSecrets(trouble.message), atMs: Date.now() };
      if (this.#failingSinceMs !== undefined) return;
      this.#failingSinceMs = Date.now();
      this.#downTimer = setTimeout(() => this.#down(), this.#times.downAfterMs).unref();
      return;
    }
    if (this.#failingSinceMs === undefined) return;
    clearTimeout(this.#downTimer);
    const seconds = Math.round((Date.now() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = undefined;
    if (!this.#isDown) return;
    this.#isDown = false;
    log.info('The store answers again, after %d s.', seconds);
    this.onChange();
  };

  /** Something could not be written (the error), or could. What is worth another try has been tried for a day by then. */
  noteWrite(error: unknown): void {
    if (error === undefined) {
      this.#writable();
      return;
    }
    const trouble = storeTrouble(error);
    if (trouble === undefined) return;
    this.#lastError = { message: withoutSecrets(trouble.message), atMs: Date.now() };
    if (this.#probeTimer === undefined) {
      log.error('The store does not take what is written: this mount is read-only until it does. %s', this.#lastError.message);
      this.#probeTimer = setInterval(() => this.#tryToWrite(), this.#times.probeIntervalMs).unref();
    }
    this.#gate.close('store', `the store does not take what is written: ${this.#lastError.message}`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#downTimer);
    clearInterval(this.#probeTimer);
  }

  #down(): void {
    this.#isDown = true;
    log.warn('The store does not work: %s', this.#lastError?.message);
    this.onChange();
  }

  #writable(): void {
    if (this.#probeTimer === undefined) return;
    clearInterval(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#gate.open('store');
    log.info('The store takes what is written again: this mount is not read-only any more.');
  }

  #tryToWrite(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.probe()
      .then((isWritable) => {
        if (isWritable) this.#writable();
      })
      // Why it failed is noted with the request.
      .catch(() => undefined)
      .finally(() => (this.#isProbing = false));
  }
}

/** The store's own error in a chain of causes, unless there is another state for it: no room, or another owner. */
function storeTrouble(error: unknown): BackendError | undefined {
  if (error instanceof FileSystemLostError || error instanceof NoSpaceError) return undefined;
  if (error instanceof BackendError) return error;
  return error instanceof Error && error.cause !== undefined ? storeTrouble(error.cause) : undefined;
}
