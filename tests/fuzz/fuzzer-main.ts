/**
 * An ordinary user who makes random system calls, in a process of its own that sees nothing but the file system under test (chroot) and can't
 * become root again. Told where, who and which seed by one message; tells from time to time what it has done, and goes on until it is killed.
 */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import { descriptorCalls } from '../support/syscalls/descriptor-calls.ts';
import type { Outcome } from '../support/syscalls/outcome.ts';
import { processCalls } from '../support/syscalls/process-calls.ts';
import { perform, type Call } from '../support/syscalls/system-calls.ts';
import { randomCalls } from './random-call.ts';

export interface FuzzerOrder {
  readonly root: string;
  readonly uid: number;
  readonly seed: number;
}

/** How often each call succeeded and failed since the last report. */
export type FuzzerReport = Readonly<Record<string, { readonly succeeded: number; readonly failed: number }>>;

const CALLS_PER_REPORT = 200;

let counts: Record<string, { succeeded: number; failed: number }> = {};

function make(call: Call): void {
  if (isBeyondEnd(call)) return;
  const { error }: Outcome = perform(call);
  const count = (counts[call[0]] ??= { succeeded: 0, failed: 0 });
  if (error === undefined) count.succeeded += 1;
  else count.failed += 1;
}

/** Touching a mapping behind the end of the file is a SIGBUS on any file system. */
function isBeyondEnd(call: Call): boolean {
  if (call[0] !== 'readMapped' && call[0] !== 'writeMapped') return false;
  const { data } = descriptorCalls.fstat(call[1]);
  const end = call[0] === 'readMapped' ? Number(call[3]) + call[2] : Number(call[3]) + (call[4] ?? 0) + call[2].length;
  return data === undefined || data.type !== 'file' || data.size < BigInt(end);
}

const [{ root, uid, seed }] = (await once(process, 'message')) as [FuzzerOrder];
process.on('disconnect', () => process.exit());
const random = new Random(seed);
const entered = processCalls.chroot(root);
if (entered.error !== undefined) throw new Error(`chroot: ${entered.error}`);
process.umask(0);
process.setgroups?.([uid]);
process.setgid?.(uid);
process.setuid?.(uid);
for (;;) {
  for (let made = 0; made < CALLS_PER_REPORT; made += 1) for (const call of randomCalls(random)) make(call);
  process.send?.(counts satisfies FuzzerReport);
  counts = {};
  await setImmediate();
}
