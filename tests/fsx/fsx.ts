/** Runs the exerciser on a target, with several seeds. */
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import type { Target } from '../support/target.ts';
import type { ExerciserOptions } from './exerciser.ts';
import type { ExerciserMessage } from './exerciser-main.ts';

const SEED_COUNT = 3;
/** With one file, all that happens meets in the same few blocks; with several they also copy from each other and replace each other. */
const OPERATION_COUNTS = LONG ? { oneFile: 100_000, fourFiles: 1_000_000 } : { oneFile: 5000, fourFiles: 8000 };
const REMOUNT_INTERVAL = LONG ? 20_000 : 2000;
const DROP_INTERVAL = LONG ? 2500 : 400;
const TIMEOUT_MS = LONG ? 6 * 3_600_000 : 300_000;

/** What went wrong; undefined if all went well. */
async function exercise(target: Target, options: ExerciserOptions): Promise<string | undefined> {
  const child = fork(fileURLToPath(new URL('exerciser-main.ts', import.meta.url)), { execArgv: [], serialization: 'advanced' });
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  try {
    child.send(options);
    for await (const [message] of on(child, 'message', { signal: ended.signal }) as AsyncIterable<[ExerciserMessage]>) {
      if ('done' in message) return undefined;
      if ('deviation' in message) return message.deviation;
      await (message.wants === 'remount' ? target.remount?.() : target.dropCaches?.());
      child.send('done');
    }
    return 'the exerciser stopped';
  } catch (error) {
    if (ended.signal.aborted) return `the exerciser ended: ${child.signalCode ?? child.exitCode}`;
    throw error;
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

export function fsxSuite(target: Target): void {
  describe(`the exerciser on ${target.name}`, () => {
    const first = newSeed();
    const seeds = Array.from({ length: SEED_COUNT }, (_, index) => first + index);
    const cases = seeds.flatMap((seed) => [
      { seed, fileCount: 1, operationCount: OPERATION_COUNTS.oneFile },
      { seed, fileCount: 4, operationCount: OPERATION_COUNTS.fourFiles },
    ]);

    test.each(cases)(
      'S3QL_TEST_SEED=$seed, $fileCount files, $operationCount operations: all contents are what was written',
      async ({ seed, fileCount, operationCount }) => {
        const directory = join(target.path, `fsx-${seed}-${fileCount}`);
        await mkdir(directory);
        const deviation = await exercise(target, {
          directory,
          seed,
          fileCount,
          operationCount,
          shiftRange: target.capabilities.has('shift-range'),
          remountInterval: target.remount === undefined ? 0 : REMOUNT_INTERVAL,
          dropInterval: target.dropCaches === undefined ? 0 : DROP_INTERVAL,
        });
        expect(deviation).toBeUndefined();
        expect((await target.brokenInvariants?.()) ?? []).toEqual([]);
      },
      TIMEOUT_MS,
    );
  });
}
