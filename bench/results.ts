/** What a run of the benchmark found out: written as JSON, read by the page. */
import type { Unit } from './workloads/workload.ts';

export interface Measurement {
  readonly target: string;
  readonly workload: string;
  /** Counted from 1. */
  readonly round: number;
  /** In the workload's unit; absent if it failed. */
  readonly value?: number;
  readonly error?: string;
  /** Of the daemon or backup program, during the measured part. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

export interface Results {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly size: Readonly<Record<string, number>>;
  readonly targets: readonly { readonly name: string; readonly description: string }[];
  readonly workloads: readonly { readonly name: string; readonly title: string; readonly unit: Unit }[];
  readonly measurements: readonly Measurement[];
}

export interface Machine {
  readonly processors: number;
  readonly processorModel: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Processes that wanted a processor, averaged over a minute, before and after the run. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}
