/** The conformance suite on a plain directory: proves the tables. */
import { afterAll } from 'vitest';
import { plainTarget } from '../support/target.ts';
import { conformanceSuite } from './conformance.ts';
import { directorySuite } from './directories.ts';
import { handleSuite } from './handles.ts';
import { lockSuite } from './locks.ts';
import { programSuite } from './programs.ts';

const target = await plainTarget();
afterAll(() => target[Symbol.asyncDispose]());
conformanceSuite(target);
directorySuite(target);
lockSuite(target);
handleSuite(target);
programSuite(target);
