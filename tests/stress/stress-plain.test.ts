/** Many processes on a plain directory: proves what errors are foreseen. */
import { afterAll } from 'vitest';
import { plainTarget } from '../support/target.ts';
import { stressSuite } from './stress.ts';

const target = await plainTarget();
afterAll(() => target[Symbol.asyncDispose]());
stressSuite(target);
