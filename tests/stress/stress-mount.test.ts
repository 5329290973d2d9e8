/** Many processes on a mount of ours with a small cache. */
import { afterAll, expect, test } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { stressSuite } from './stress.ts';

const target = await mountTarget({ mountArguments: ['--cachesize', '4096', '--dirty-block-upload-delay', '1'] });
afterAll(() => target[Symbol.asyncDispose]());
stressSuite(target);

test('after all that, no invariant is broken', async () => {
  expect(await target.fileSystem.brokenInvariants()).toEqual([]);
});
