/** Figures of a few repeated measurements. */

export interface Summary {
  readonly median: number;
  readonly smallest: number;
  readonly largest: number;
  readonly count: number;
}

/** @throws RangeError without values */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no values');
  return { median: median(values), smallest: Math.min(...values), largest: Math.max(...values), count: values.length };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The value that `share` (0 to 1) of the values do not exceed; nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
