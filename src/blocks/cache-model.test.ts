import type * as Fs from 'node:fs';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CacheModel } from '../../tests/support/blocks/cache-model.ts';
import { operations, setups } from '../../tests/support/blocks/cache-operations.ts';

vi.mock('node:fs', async (original) => {
  const { recordingFdatasync } = await import('../../tests/support/blocks/power-cut.ts');
  return { ...(await original<typeof Fs>()), fdatasync: recordingFdatasync() };
});

test('random operations, crashes and power cuts agree with plain byte arrays', async () => {
  const property = fc.asyncProperty(setups, operations(40), async (setup, sequence) => {
    await using model = new CacheModel(setup);
    await model.start();
    for (const operation of sequence) await model.run(operation);
    await model.finish();
  });
  await expect(fc.assert(property, { numRuns: 12, timeout: 10_000 })).resolves.toBeUndefined();
});
