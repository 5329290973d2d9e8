/** Rounds of all workloads on all targets, alternating: one target after the other in each round, so that a busy quarter of an hour hits all alike. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSet } from './data/data-set.ts';
import { DaemonUsage } from './measure/daemon-usage.ts';
import { settleDisk } from './measure/kernel-cache.ts';
import type { Measurement } from './results.ts';
import type { ProgramUsage, Target, TargetKind } from './targets/target.ts';
import { isPossible, type Workload, type WorkloadContext } from './workloads/workload.ts';

export interface BenchmarkOptions {
  readonly kinds: readonly TargetKind[];
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly data: DataSet;
  /** Where targets keep their files. */
  readonly workDirectory: string;
  readonly onMeasurement: (measurement: Measurement) => void;
}

const NOTHING_USED: ProgramUsage = { cpuSeconds: 0, peakBytes: 0 };

export async function runBenchmark(options: BenchmarkOptions): Promise<void> {
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const kind of options.kinds) await measureTarget(kind, round, options);
  }
}

/** All workloads on one target, made anew. What fails is part of the result, and so are those that build on it. */
async function measureTarget(kind: TargetKind, round: number, options: BenchmarkOptions): Promise<void> {
  const { workloads, onMeasurement } = options;
  const directory = await mkdtemp(join(options.workDirectory, `${kind.name}-`));
  try {
    await using target = await kind.create(await made(join(directory, 'work')));
    const failed = new Set<string>();
    for (const workload of workloads) {
      if (!isPossible(workload, target)) continue;
      const missing = workload.after.find((name) => failed.has(name));
      const measurement =
        missing === undefined ? await measure(workload, target, options) : { error: `builds on ${missing}`, ...NOTHING_USED };
      if (measurement.error !== undefined) failed.add(workload.name);
      onMeasurement({ target: kind.name, workload: workload.name, round, ...measurement });
    }
  } catch (error) {
    onMeasurement({ target: kind.name, workload: 'start and end', round, error: messageOf(error), ...NOTHING_USED });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function made(directory: string): Promise<string> {
  await mkdir(directory);
  return directory;
}

async function measure(
  workload: Workload,
  target: Target,
  { data, workDirectory }: BenchmarkOptions,
): Promise<Omit<Measurement, 'target' | 'workload' | 'round'>> {
  let usage = NOTHING_USED;
  const context: WorkloadContext = {
    target,
    data,
    path(name) {
      if (target.directory === undefined) throw new Error(`${target.name} has no directory`);
      return join(target.directory, name);
    },
    async timed(run) {
      const daemon = new DaemonUsage(target.daemonPids());
      const startMs = performance.now();
      const reported = await run();
      const seconds = (performance.now() - startMs) / 1000;
      usage = isUsage(reported) ? reported : { cpuSeconds: daemon.cpuSeconds, peakBytes: daemon.peakBytes };
      return seconds;
    },
  };
  try {
    await settleDisk(workDirectory);
    const value = await workload.run(context);
    return { value, ...usage };
  } catch (error) {
    return { error: messageOf(error), ...usage };
  }
}

function isUsage(value: unknown): value is ProgramUsage {
  return typeof value === 'object' && value !== null && 'cpuSeconds' in value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
