/** The conformance suite on a mount of ours. */
import { afterAll, expect, test } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { conformanceSuite } from './conformance.ts';
import { directorySuite } from './directories.ts';
import { handleSuite, remountedHandleSuite } from './handles.ts';
import { hugeFileSuite } from './huge-files.ts';
import { lockSuite } from './locks.ts';
import { programSuite } from './programs.ts';

const target = await mountTarget();
afterAll(() => target[Symbol.asyncDispose]());
conformanceSuite(target);
directorySuite(target);
lockSuite(target);
handleSuite(target);
hugeFileSuite(target);
programSuite(target);
remountedHandleSuite(target);

test('after all that, no invariant is broken', async () => {
  expect(await target.fileSystem.brokenInvariants()).toEqual([]);
});
