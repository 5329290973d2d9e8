/** Runs before each test file: where a seed is given, or fixed as in CI, fast-check's cases follow from it, too. */
import * as fc from 'fast-check';
import { newSeed } from './random.ts';

fc.configureGlobal({ seed: newSeed() });
