/** Runs checks one after the other; one that fails does not keep the next from running. */
import type { Capabilities } from '../backend.ts';
import { BackendError, GaveUpError } from '../errors.ts';
import type { CheckResult } from './report.ts';
import type { ScratchObjects } from './scratch-objects.ts';

export interface Check {
  readonly name: string;
  readonly title: string;
  /** What follows for S3QL if it does not pass. */
  readonly consequence: string;
  /** Default: every store must pass. */
  readonly offered?: (capabilities: Capabilities) => boolean;
  /** @throws CheckFailedError, or what the store throws */
  readonly run: (scratch: ScratchObjects, signal: AbortSignal) => Promise<void>;
}

/** The store did something that it must not do. */
export class CheckFailedError extends Error {}

/** @throws CheckFailedError */
export function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new CheckFailedError(otherwise);
}

/** @throws the signal's reason, GaveUpError */
export async function runCheck(
  { name, title, consequence, offered, run }: Check,
  scratch: ScratchObjects,
  signal: AbortSignal,
): Promise<CheckResult> {
  if (offered?.(scratch.backend.capabilities) === false) return { name, title, outcome: 'not offered', consequence };
  try {
    await run(scratch, signal);
    return { name, title, outcome: 'passed' };
  } catch (error) {
    signal.throwIfAborted();
    // A store that cannot be reached has not failed: nothing is known of it.
    if (error instanceof GaveUpError || !(error instanceof CheckFailedError || error instanceof BackendError)) throw error;
    return { name, title, outcome: 'failed', problem: error.message, consequence };
  }
}
