/**
 * The same random operations on a file system under test and on a plain directory: every outcome and, after every step, the whole tree must
 * be the same. A failure is printed as the shortest list of system calls that shows it, with the seed that leads there.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import type { Outcome } from '../support/syscalls/outcome.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Target } from '../support/target.ts';
import { BEGINNING, CLOSE_ALL, type Operation, PATHS, operations } from './operations.ts';

const RUNS = LONG ? 2000 : 30;
const TIMEOUT_MS = LONG ? 3_600_000 : 300_000;

/** One side of the comparison: an agent with a directory of its own for each run. */
class Side {
  readonly #agent: SyscallAgent = new SyscallAgent();
  readonly #root: string;
  #directory = '';
  #count = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async begin(): Promise<void> {
    this.#count += 1;
    this.#directory = join(this.#root, `run-${this.#count}`);
    await mkdir(this.#directory, { mode: 0o777 });
    await this.enter();
  }

  async enter(): Promise<void> {
    await this.#agent.runAndKeep([
      ['chmod', this.#directory, 0o777],
      ['chdir', this.#directory],
    ]);
  }

  /** Leaves nothing open and goes elsewhere. */
  async leave(): Promise<void> {
    await this.#agent.run(CLOSE_ALL);
  }

  /** What the calls gave, and what the tree looks like then. */
  async perform(calls: readonly Call[]): Promise<{ readonly outcomes: unknown[]; readonly tree: unknown }> {
    const outcomes: readonly Outcome[] = await this.#agent.runAndKeep([...calls, ['describe', PATHS]]);
    return {
      outcomes: outcomes.slice(0, -1).map((outcome, index) => comparable(calls[index] as Call, outcome)),
      tree: outcomes.at(-1)?.data,
    };
  }

  kill(): Promise<void> {
    return this.#agent.kill();
  }
}

function comparable(call: Call, { result, error, data }: Outcome): unknown {
  return { call: call[0], result: Number(result), error, data: data instanceof Uint8Array ? Buffer.from(data).toString('latin1') : data };
}

export function modelSuite(target: Target): void {
  describe(`random operations on ${target.name} and on a plain directory`, () => {
    let plainRoot: string;
    let tested: Side;
    let plain: Side;

    beforeAll(async () => {
      plainRoot = await mkdtemp(join(tmpdir(), 's3ql-model-'));
      await chmod(plainRoot, 0o755);
      const root = join(target.path, 'model');
      await mkdir(root);
      tested = new Side(root);
      plain = new Side(plainRoot);
    });
    afterAll(async () => {
      await tested.kill();
      await plain.kill();
      await rm(plainRoot, { recursive: true });
    });

    async function special(operation: 'remount' | 'drop caches'): Promise<readonly Call[]> {
      if (operation === 'drop caches') {
        await target.dropCaches?.();
        return [];
      }
      await tested.leave();
      await target.remount?.();
      await tested.enter();
      await plain.perform(CLOSE_ALL);
      return [];
    }

    async function run(all: readonly Operation[]): Promise<void> {
      await tested.begin();
      await plain.begin();
      try {
        for (const operation of [BEGINNING, ...all]) {
          const calls = typeof operation === 'string' ? await special(operation) : operation;
          const [actual, expected] = await Promise.all([tested.perform(calls), plain.perform(calls)]);
          expect(actual).toEqual(expected);
        }
      } finally {
        await tested.leave();
        await plain.leave();
      }
    }

    const specials = [
      ...(target.remount === undefined ? [] : (['remount'] as const)),
      ...(target.dropCaches === undefined ? [] : (['drop caches'] as const)),
    ];

    test(
      'every outcome and every tree is the same',
      async () => {
        const seed = newSeed();
        await fc.assert(fc.asyncProperty(operations(specials), run), { numRuns: RUNS, seed });
      },
      TIMEOUT_MS,
    );
  });
}
