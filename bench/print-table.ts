/** Results as text: for each workload a row per target with median, spread, ratio to the first peer, and what the daemon used. */
import { median, summarize } from './measure/statistics.ts';
import type { Measurement, Results } from './results.ts';
import { moreIsBetter } from './workloads/workload.ts';

const MIB = 1024 * 1024;
export const OURS = 's3ql';

export interface Row {
  readonly target: string;
  readonly median: number;
  readonly smallest: number;
  readonly largest: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Of a workload, in the order of the targets; those without a result are left out. */
export function rowsOf(results: Results, workload: string): readonly Row[] {
  return results.targets.flatMap(({ name }) => {
    const measurements = results.measurements.filter((one) => one.workload === workload && one.target === name);
    const done = measurements.filter((one): one is Measurement & { value: number } => one.value !== undefined);
    if (done.length === 0) return [];
    const { median: middle, smallest, largest } = summarize(done.map(({ value }) => value));
    return [
      {
        target: name,
        median: middle,
        smallest,
        largest,
        cpuSeconds: median(done.map(({ cpuSeconds }) => cpuSeconds)),
        peakBytes: Math.max(...done.map(({ peakBytes }) => peakBytes)),
      },
    ];
  });
}

/** How many times better ours is than the other (more than 1: better). */
export function advantage(ours: number, other: number, unit: Results['workloads'][number]['unit']): number {
  return moreIsBetter(unit) ? ours / other : other / ours;
}

export function formatValue(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function resultsAsText(results: Results): string {
  const lines: string[] = [];
  for (const { name, title, unit } of results.workloads) {
    const rows = rowsOf(results, name);
    if (rows.length === 0) continue;
    const ours = rows.find((row) => row.target === OURS);
    lines.push('', `${name}: ${title} (${unit})`);
    for (const row of rows) {
      const ratio = ours === undefined || row === ours ? '' : `s3ql is ${advantage(ours.median, row.median, unit).toFixed(2)} x`;
      const spread = `${formatValue(row.smallest)} - ${formatValue(row.largest)}`;
      lines.push(
        [
          `  ${row.target.padEnd(10)}`,
          formatValue(row.median).padStart(9),
          `(${spread})`.padEnd(20),
          `${row.cpuSeconds.toFixed(2)} CPU s`.padStart(13),
          `${Math.round(row.peakBytes / MIB)} MiB`.padStart(9),
          ratio,
        ]
          .join('  ')
          .trimEnd(),
      );
    }
  }
  const failures = results.measurements.filter(({ error }) => error !== undefined);
  if (failures.length > 0) lines.push('', 'Failed:', ...failures.map(({ target, workload, error }) => `  ${target} ${workload}: ${error}`));
  return lines.join('\n');
}
