/**
 * Finds out what a store can do for S3QL: makes objects of its own, never touches others, and removes them however it ends.
 */
import { logger } from '../../util/log.ts';
import type { ProgressReporter } from '../../util/progress.ts';
import type { Backend } from '../backend.ts';
import { capabilityChecks } from './capability-checks.ts';
import { consistencyChecks } from './consistency.ts';
import { measureStore } from './measure.ts';
import type { CheckResult, StoreReport } from './report.ts';
import { runCheck } from './run-checks.ts';
import { ScratchObjects } from './scratch-objects.ts';

const log = logger('backends/check-store');

export interface StoreCheckOptions {
  readonly maxConnections: number;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

/** @throws the signal's reason; BackendError if the store cannot even be measured or cleaned up */
export async function checkStore(backend: Backend, { maxConnections, progress, signal }: StoreCheckOptions): Promise<StoreReport> {
  const scratch = new ScratchObjects(backend);
  let report: StoreReport;
  try {
    report = await checkAndMeasure(scratch, { maxConnections, progress, signal });
  } catch (error) {
    // What went wrong first is what people need to know.
    await scratch.remove().catch(() => log.warn('The objects %s* could not be removed', scratch.prefix));
    throw error;
  }
  await scratch.remove();
  return report;
}

async function checkAndMeasure(scratch: ScratchObjects, { maxConnections, progress, signal }: StoreCheckOptions): Promise<StoreReport> {
  const checks: CheckResult[] = [];
  const all = [...consistencyChecks, ...capabilityChecks];
  {
    using step = progress.step('Checking the store', 'checks');
    for (const check of all) {
      checks.push(await runCheck(check, scratch, signal));
      step.update({ done: checks.length, total: all.length });
    }
  }
  using step = progress.step('Measuring the store', 'series');
  const measurements = await measureStore(scratch, maxConnections, signal, (done, total) => step.update({ done, total }));
  return { storageUrl: scratch.backend.url, usable: checks.every(({ outcome }) => outcome !== 'failed'), checks, measurements };
}
