/** What a workload is, and what it is given. */
import type { DataSet } from '../data/data-set.ts';
import type { Target } from '../targets/target.ts';

/** Rates: more is better. Seconds, milliseconds and MiB (of memory): less is better. */
export type Unit = 'files/s' | 'MiB/s' | 'entries/s' | 'operations/s' | 's' | 'ms' | 'MiB';

export function moreIsBetter(unit: Unit): boolean {
  return unit.endsWith('/s');
}

export interface WorkloadContext {
  readonly target: Target;
  readonly data: DataSet;
  /** A path below the target's directory. @throws if it has none */
  readonly path: (name: string) => string;
  /** Runs what is measured, once in each workload; resolves to how many seconds it took. */
  readonly timed: (run: () => Promise<unknown>) => Promise<number>;
}

export type Capability = 'directory' | 'flush' | 'emptyCache' | 'snapshot' | 'unmount' | 'mount' | 'backup' | 'restore';

export interface Workload {
  /** As on the command line. */
  readonly name: string;
  /** As in tables. */
  readonly title: string;
  readonly unit: Unit;
  /** Workloads that leave behind what this one begins with. */
  readonly after: readonly string[];
  readonly needs: readonly Capability[];
  /** Resolves to the result, in the workload's unit. */
  run(context: WorkloadContext): Promise<number>;
}

/** What a target must be able to do for the workload. */
export function isPossible(workload: Workload, target: Target): boolean {
  return workload.needs.every((capability) => target[capability] !== undefined);
}
