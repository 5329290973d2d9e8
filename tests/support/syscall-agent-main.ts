/**
 * A process that makes system calls for a test: it can be another user, wait for a lock or be killed without harm to the test runner.
 * Messages (structured clones over Node's channel) are batches of calls, done in order; each is answered with all outcomes.
 */
import { chdir } from 'node:process';
import type { BatchReply, BatchRequest } from './syscall-agent.ts';
import { openSlots } from './syscalls/arguments.ts';
import { descriptorCalls } from './syscalls/descriptor-calls.ts';
import { processCalls } from './syscalls/process-calls.ts';
import { perform } from './syscalls/system-calls.ts';
import { ROOT } from './users.ts';

function answer({ id, calls, keep }: BatchRequest): BatchReply {
  try {
    return { id, outcomes: calls.map((call) => perform(call)) };
  } catch (error) {
    return { id, outcomes: [], failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    if (!keep) reset();
  }
}

/** Root again, nothing open, nowhere in particular. */
function reset(): void {
  processCalls.become(ROOT);
  processCalls.umask(0);
  for (const slot of openSlots()) descriptorCalls.close(slot);
  chdir('/');
}

reset();
process.on('message', (request: BatchRequest) => process.send?.(answer(request)));
process.on('disconnect', () => process.exit());
