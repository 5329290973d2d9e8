/** Which generations of the metadata are kept in the store. */

export interface DatedGeneration {
  readonly seqNo: number;
  /** When it was made; undefined if its superblock cannot be read. */
  readonly dateMs: number | undefined;
}

/** Given all generations, newest first, returns the sequence numbers of those to keep. The newest one stays whatever it returns. */
export type RetentionPolicy = (generations: readonly DatedGeneration[], nowMs: number) => ReadonlySet<number>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** These always stay, however old they are. */
const ALWAYS_KEPT = 32;
/** Up to `ageMs` the newest generation of every period stays; each period is a multiple of the one before, so thinning again changes nothing. */
const THINNING: ReadonlyArray<{ readonly ageMs: number; readonly periodMs: number }> = [
  { ageMs: HOUR_MS, periodMs: 1 },
  { ageMs: DAY_MS, periodMs: HOUR_MS },
  { ageMs: 2 * WEEK_MS, periodMs: DAY_MS },
  { ageMs: 12 * WEEK_MS, periodMs: WEEK_MS },
];

/** The default: all of the last hour, then one per hour for a day, per day for two weeks, per week for twelve; at least the newest 32. */
export const thin: RetentionPolicy = (generations, nowMs) => {
  const kept = new Set<number>(generations.slice(0, ALWAYS_KEPT).map(({ seqNo }) => seqNo));
  for (const { ageMs, periodMs } of THINNING) {
    let lastPeriod: number | undefined;
    for (const { seqNo, dateMs } of generations) {
      if (dateMs === undefined || nowMs - dateMs > ageMs) continue;
      const period = Math.floor(dateMs / periodMs);
      if (period !== lastPeriod) kept.add(seqNo);
      lastPeriod = period;
    }
  }
  return kept;
};

/** S3QL's own rule is `keepNewest(32)`. */
export function keepNewest(count: number): RetentionPolicy {
  return (generations) => new Set(generations.slice(0, count).map(({ seqNo }) => seqNo));
}
