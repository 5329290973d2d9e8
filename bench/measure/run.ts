/** Programs that do a workload's work. */
import { mustRun } from '../../tests/support/run-program.ts';

/** Slow file systems need time. */
const TIMEOUT_MS = 900_000;

/** Runs a program. @throws if it fails */
export async function run(command: string, args: readonly string[]): Promise<void> {
  await output(command, args);
}

/** Runs a program and returns what it printed. @throws if it fails */
export async function output(command: string, args: readonly string[]): Promise<string> {
  return (await mustRun(command, args, { timeoutMs: TIMEOUT_MS, env: { ...process.env, LC_ALL: 'C' } })).stdout;
}
