/** The exerciser on a mount whose cache holds less than the files, so that blocks come and go. */
import { afterAll, expect, test } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { fsxSuite } from './fsx.ts';

/** Less than four files of 1 MiB. */
const CACHE_SIZE_KIB = 2048;

const target = await mountTarget({ mountArguments: ['--cachesize', String(CACHE_SIZE_KIB), '--dirty-block-upload-delay', '1'] });
afterAll(() => target[Symbol.asyncDispose]());
fsxSuite(target);

test('after all that, no invariant is broken', async () => {
  expect(await target.fileSystem.brokenInvariants()).toEqual([]);
});
