import type { ErrorClass } from '../util/error-transfer.ts';
import { UserError } from '../util/errors.ts';
import * as errors from './errors.ts';

/** Every class of error that a backend may throw on purpose: those that must keep their class between threads. */
export const backendErrorClasses: readonly ErrorClass[] = [UserError, ...Object.values(errors)];
