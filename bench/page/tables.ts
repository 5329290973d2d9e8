/** The results as Markdown. */
import { advantage, formatValue, OURS, rowsOf } from '../print-table.ts';
import type { Results } from '../results.ts';

const MIB = 1024 * 1024;
const GIB = 1024 ** 3;

/** Where and when, and how busy it was. */
export function machineText({ machine, startedAt, measurements, size }: Results): string {
  const rounds = Math.max(...measurements.map(({ round }) => round));
  return (
    `${startedAt.slice(0, 10)}, ${machine.processors} processors (${machine.processorModel}), ${Math.round(machine.memoryBytes / GIB)} GiB, ` +
    `Linux ${machine.kernel}, Node ${machine.node}; ${rounds} rounds. Load average ${machine.loadBefore.toFixed(1)} before the run, ` +
    `${machine.loadAfter.toFixed(1)} after it. Data: ${formatValue(size.treeFileCount ?? 0)} files of 1 to 60 KiB, ` +
    `${formatValue(size.tinyFileCount ?? 0)} files of 100 bytes, ${formatValue((size.randomBytes ?? 0) / MIB)} MiB of random bytes.`
  );
}

/** A row per workload, a column per target: median, smallest and largest. */
export function valueTable(results: Results, workloads: readonly string[]): string {
  const targets = results.targets.filter(({ name }) =>
    workloads.some((workload) => rowsOf(results, workload).some((row) => row.target === name)),
  );
  const lines = [`| workload | ${targets.map(({ name }) => name).join(' | ')} |`, `| --- |${' --: |'.repeat(targets.length)}`];
  for (const { name, title, unit } of results.workloads.filter((workload) => workloads.includes(workload.name))) {
    const rows = rowsOf(results, name);
    if (rows.length === 0) continue;
    const cells = targets.map((target) => {
      const row = rows.find((candidate) => candidate.target === target.name);
      return row === undefined ? '–' : `${formatValue(row.median)} (${formatValue(row.smallest)}–${formatValue(row.largest)})`;
    });
    lines.push(`| ${title}, ${unit} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** How many times better ours is than each of the others. */
export function ratioTable(results: Results): string {
  const others = results.targets.filter(({ name }) => !name.startsWith(OURS));
  const lines = [`| workload | ${others.map(({ name }) => name).join(' | ')} |`, `| --- |${' --: |'.repeat(others.length)}`];
  for (const { name, title, unit } of results.workloads) {
    const rows = rowsOf(results, name);
    const ours = rows.find((row) => row.target === OURS);
    if (ours === undefined || rows.every((row) => row.target.startsWith(OURS))) continue;
    const cells = others.map((other) => {
      const row = rows.find((candidate) => candidate.target === other.name);
      return row === undefined ? '–' : advantage(ours.median, row.median, unit).toFixed(2);
    });
    lines.push(`| ${title} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** CPU seconds and peak memory of the daemons. */
export function usageTable(results: Results): string {
  const targets = results.targets.filter(({ name }) => name !== 'plain');
  const lines = [`| workload | ${targets.map(({ name }) => name).join(' | ')} |`, `| --- |${' --: |'.repeat(targets.length)}`];
  for (const { name, title } of results.workloads) {
    const rows = rowsOf(results, name);
    const cells = targets.map((target) => {
      const row = rows.find((candidate) => candidate.target === target.name);
      return row === undefined ? '–' : `${formatValue(row.cpuSeconds)} s, ${Math.round(row.peakBytes / MIB)} MiB`;
    });
    if (cells.some((cell) => cell !== '–')) lines.push(`| ${title} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

export function failureList({ measurements }: Results): string {
  const failures = measurements.filter(({ error }) => error !== undefined);
  return failures
    .map(({ target, workload, round, error }) => `- ${target}, ${workload}, round ${round}: ${error?.split('\n')[0]}`)
    .join('\n');
}
