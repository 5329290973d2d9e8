/**
 * Several processes do random operations in one small tree at once (as fsstress does). Their outcomes depend on each other and can't be
 * foretold, but: only errors that POSIX foresees occur, what a process writes into a file of its own is all there, and the tree is the
 * same seen by another process, and after a remount.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrnoName } from '../../src/util/errors.ts';
import { BEGINNING, operations } from '../model/operations.ts';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { succeed } from '../support/success.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { O_APPEND, O_CREAT, O_WRONLY } from '../support/syscalls/constants.ts';
import type { Description } from '../support/syscalls/description-calls.ts';
import type { Outcome } from '../support/syscalls/outcome.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Target } from '../support/target.ts';

const PROCESS_COUNT = 6;
const BATCH_COUNT = LONG ? 3000 : 120;
const TIMEOUT_MS = LONG ? 3_600_000 : 300_000;

const FORESEEN: ReadonlySet<ErrnoName | undefined> = new Set<ErrnoName | undefined>([
  undefined,
  'EACCES',
  'EAGAIN',
  'EBADF',
  'EEXIST',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'ENODATA',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENOTEMPTY',
  'ENXIO',
  'EPERM',
  'ESPIPE',
]);

interface Worker {
  readonly agent: SyscallAgent;
  readonly batches: ReadonlyArray<readonly Call[]>;
  /** Of its own: a line per batch. */
  readonly journal: string;
}

/** Calls of one worker's turns; `remount` and the like are for others. */
function batches(seed: number): ReadonlyArray<readonly Call[]> {
  return fc
    .sample(operations([]), { seed, numRuns: BATCH_COUNT })
    .map((list) => list.flatMap((operation) => (typeof operation === 'string' ? [] : operation)));
}

/** Returns the calls that failed as no call should. */
async function work({ agent, batches, journal }: Worker, directory: string): Promise<string[]> {
  const strange: string[] = [];
  for (const [index, calls] of batches.entries()) {
    const outcomes: readonly Outcome[] = await agent.run([['chdir', directory], ...calls]);
    for (const [at, { error }] of outcomes.entries()) {
      if (!FORESEEN.has(error)) strange.push(`${JSON.stringify(calls[at - 1]).slice(0, 100)}: ${error}`);
    }
    await succeed(agent, [
      ['open', journal, O_WRONLY | O_CREAT | O_APPEND, 0o644, 'journal'],
      ['write', 'journal', `${index}\n`],
      ['close', 'journal'],
    ]);
  }
  return strange;
}

async function treeOf(directory: string): Promise<Description[]> {
  const agent = new SyscallAgent();
  try {
    const [tree] = await succeed(agent, [['describeTree', directory]]);
    return tree;
  } finally {
    await agent.kill();
  }
}

export function stressSuite(target: Target): void {
  describe(`${PROCESS_COUNT} processes in one tree on ${target.name}`, () => {
    const seed = newSeed();

    test(
      `S3QL_TEST_SEED=${seed}: nothing fails that should not, nothing is lost`,
      async () => {
        const directory = join(target.path, 'stress');
        await mkdir(join(directory, 'shared'), { recursive: true, mode: 0o777 });
        const workers = Array.from({ length: PROCESS_COUNT }, (_, index): Worker => ({
          agent: new SyscallAgent(),
          batches: batches(seed + index),
          journal: join(directory, `journal-${index}`),
        }));
        try {
          await workers[0]?.agent.run([['chdir', join(directory, 'shared')], ...BEGINNING]);
          const strange = await Promise.all(workers.map((worker) => work(worker, join(directory, 'shared'))));
          expect(strange.flat()).toEqual([]);
          const expected = Array.from({ length: BATCH_COUNT }, (_, index) => `${index}\n`).join('');
          for (const { agent, journal } of workers) {
            const [, text] = await succeed(agent, [
              ['open', journal, 0, 0, 'journal'],
              ['read', 'journal', expected.length + 1],
            ]);
            expect(Buffer.from(text).toString()).toBe(expected);
          }
        } finally {
          for (const { agent } of workers) await agent.kill();
        }
        const tree = await treeOf(directory);
        await target.remount?.();
        expect(await treeOf(directory)).toEqual(tree);
      },
      TIMEOUT_MS,
    );
  });
}
