/** The conformance suite on a plain directory: proves the tables. */
import { afterAll } from 'vitest';
import { plainTarget } from '../support/target.ts';
import { conformanceSuite } from './conformance.ts';

const target = await plainTarget();
afterAll(() => target[Symbol.asyncDispose]());
conformanceSuite(target);
