/** The block cache's model test at length: about 30 s, or an hour with S3QL_TEST_LONG=1. A failure prints its seed. */
import type * as Fs from 'node:fs';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CacheModel } from '../support/blocks/cache-model.ts';
import { operations, setups } from '../support/blocks/cache-operations.ts';

vi.mock('node:fs', async (original) => {
  const { recordingFdatasync } = await import('../support/blocks/power-cut.ts');
  return { ...(await original<typeof Fs>()), fdatasync: recordingFdatasync() };
});

const LONG = process.env['S3QL_TEST_LONG'] === '1';
const TIME_MS = LONG ? 3_600_000 : 30_000;
/** Shrinking of a failure ends then. */
const SHRINK_TIME_MS = 120_000;
/** A sequence that takes longer hangs. */
const SEQUENCE_TIMEOUT_MS = 60_000;

const property = fc.asyncProperty(setups, operations(LONG ? 400 : 150), async (setup, sequence) => {
  await using model = new CacheModel(setup);
  await model.start();
  for (const operation of sequence) await model.run(operation);
  await model.finish();
});

test(
  'long random operations, crashes and power cuts agree with plain byte arrays',
  async () => {
    const endMs = performance.now() + TIME_MS;
    while (performance.now() < endMs) {
      await expect(
        fc.assert(property, { numRuns: 10, timeout: SEQUENCE_TIMEOUT_MS, interruptAfterTimeLimit: SHRINK_TIME_MS }),
      ).resolves.toBeUndefined();
    }
  },
  TIME_MS + 600_000,
);
