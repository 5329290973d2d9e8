/** The exerciser on a plain directory: proves the mirror. */
import { afterAll } from 'vitest';
import { plainTarget } from '../support/target.ts';
import { fsxSuite } from './fsx.ts';

const target = await plainTarget();
afterAll(() => target[Symbol.asyncDispose]());
fsxSuite(target);
