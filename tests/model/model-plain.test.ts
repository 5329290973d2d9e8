/** The model test of a plain directory against another: proves that the test compares what may be compared. */
import { afterAll } from 'vitest';
import { plainTarget } from '../support/target.ts';
import { modelSuite } from './model.ts';

const target = await plainTarget();
afterAll(() => target[Symbol.asyncDispose]());
modelSuite(target);
