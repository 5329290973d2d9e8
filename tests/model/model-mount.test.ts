/** The model test of a mount of ours. */
import { afterAll, expect, test } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { modelSuite } from './model.ts';

const target = await mountTarget({ passphrase: 'model' });
afterAll(() => target[Symbol.asyncDispose]());
modelSuite(target);

test('after all that, no invariant is broken', async () => {
  expect(await target.fileSystem.brokenInvariants()).toEqual([]);
});
