/** The workloads, in the order in which they run on one target. */
import { backupWorkloads } from './backup-workloads.ts';
import { mountWorkloads } from './mount-workloads.ts';
import { randomWorkloads } from './random-workloads.ts';
import { stallWorkloads } from './stall-workloads.ts';
import { streamWorkloads } from './stream-workloads.ts';
import { treeWorkloads } from './tree-workloads.ts';
import type { Workload } from './workload.ts';

export const allWorkloads: readonly Workload[] = [
  ...streamWorkloads,
  ...treeWorkloads,
  ...randomWorkloads,
  ...stallWorkloads,
  ...backupWorkloads,
  ...mountWorkloads,
];

/** Those with the names (all if there are none), and those that must run before them. @throws RangeError for an unknown name */
export function selectWorkloads(names: readonly string[]): readonly Workload[] {
  if (names.length === 0) return allWorkloads;
  const selected = new Set<Workload>();
  const select = (name: string): void => {
    const workload = allWorkloads.find((candidate) => candidate.name === name);
    if (workload === undefined)
      throw new RangeError(`no workload "${name}"; there are ${allWorkloads.map((known) => known.name).join(', ')}`);
    selected.add(workload);
    workload.after.forEach(select);
  };
  names.forEach(select);
  return allWorkloads.filter((workload) => selected.has(workload));
}
