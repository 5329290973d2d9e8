/** What `s3ql check-store` finds out about a store. */

export type CheckOutcome =
  | 'passed'
  | 'failed'
  /** The store does not say that it can do this. */
  | 'not offered';

export interface CheckResult {
  /** For programs, e.g. `list-after-write`. */
  readonly name: string;
  /** A sentence that is true if the check passed. */
  readonly title: string;
  readonly outcome: CheckOutcome;
  /** What went wrong. */
  readonly problem?: string;
  /** What follows for S3QL if it did not pass. */
  readonly consequence?: string;
}

export interface Measurement {
  /** For programs, e.g. `small-store`. */
  readonly name: string;
  readonly title: string;
  readonly requestCount: number;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** From the first request's beginning to the last one's end. */
  readonly durationMs: number;
  readonly medianMs: number;
  readonly slowestMs: number;
  /** Absent where no payload moved. */
  readonly bytesPerSecond?: number;
}

export interface StoreReport {
  readonly storageUrl: string;
  /** No check failed: S3QL can rely on the store. */
  readonly usable: boolean;
  readonly checks: readonly CheckResult[];
  readonly measurements: readonly Measurement[];
}
