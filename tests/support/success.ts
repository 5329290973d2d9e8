/** For calls that a test needs to succeed before it can judge anything. */
import type { SyscallAgent } from './syscall-agent.ts';
import type { Outcome } from './syscalls/outcome.ts';
import type { Call, OutcomeOf } from './syscalls/system-calls.ts';

type SuccessesOf<Calls extends readonly Call[]> = { -readonly [Index in keyof Calls]: NonNullable<OutcomeOf<Calls[Index]>['data']> };

/** Makes the calls (the agent keeps its state) and returns their data. @throws if one fails */
export async function succeed<const Calls extends readonly Call[]>(agent: SyscallAgent, calls: Calls): Promise<SuccessesOf<Calls>> {
  const outcomes: readonly Outcome[] = await agent.runAndKeep(calls);
  for (const [index, { error }] of outcomes.entries()) {
    if (error !== undefined)
      throw new Error(`${String(calls[index]?.[0])}(${String(calls[index]?.slice(1).map(String).join(', '))}): ${error}`);
  }
  return outcomes.map(({ data }) => data) as SuccessesOf<Calls>;
}
