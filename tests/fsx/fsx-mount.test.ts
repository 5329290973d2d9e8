/** The exerciser on a mount whose cache holds less than four files: blocks are evicted and fetched all the time. */
import { afterAll } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { fsxSuite } from './fsx.ts';

/** Files have up to 1 MiB, in blocks of 128 KiB. */
const CACHE_SIZE_KIB = 1536;

const target = await mountTarget({ mountArguments: ['--cachesize', String(CACHE_SIZE_KIB), '--dirty-block-upload-delay', '1'] });
afterAll(() => target[Symbol.asyncDispose]());
fsxSuite(target);
