/** All system calls a test can ask an agent for, and how a call is written: its name and arguments, as an array. */
import { descriptionCalls } from './description-calls.ts';
import { descriptorCalls } from './descriptor-calls.ts';
import { handleCalls } from './handle-calls.ts';
import { lockCalls } from './lock-calls.ts';
import { pathCalls } from './path-calls.ts';
import { processCalls } from './process-calls.ts';
import { spaceCalls } from './space-calls.ts';
import { xattrCalls } from './xattr-calls.ts';
import type { Outcome } from './outcome.ts';

export type SystemCalls = typeof pathCalls &
  typeof descriptorCalls &
  typeof xattrCalls &
  typeof spaceCalls &
  typeof lockCalls &
  typeof handleCalls &
  typeof descriptionCalls &
  typeof processCalls;

/** For example `['chmod', 'file', 0o600]`. */
export type Call = { [Name in keyof SystemCalls]: readonly [Name, ...Parameters<SystemCalls[Name]>] }[keyof SystemCalls];

/** The outcome a call's data comes in. */
export type OutcomeOf<C extends Call> = ReturnType<SystemCalls[C[0]]>;

const systemCalls: SystemCalls = {
  ...pathCalls,
  ...descriptorCalls,
  ...xattrCalls,
  ...spaceCalls,
  ...lockCalls,
  ...handleCalls,
  ...descriptionCalls,
  ...processCalls,
};

export function perform([name, ...args]: Call): Outcome {
  return (systemCalls[name] as (...args: unknown[]) => Outcome)(...args);
}
