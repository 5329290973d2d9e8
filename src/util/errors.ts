/**
 * The two kinds of error that cross module borders on purpose. Everything else that is thrown is a bug and keeps its stack.
 *
 * - FsError: what a system call gets (errno); made by filesystem/, metadata/, blocks/.
 * - UserError: what a person at a terminal gets (one line that says what to do) with the documented exit code.
 */
import { constants } from 'node:os';

export type ErrnoName = keyof typeof constants.errno;

/**
 * A failed file system operation. `errno` is the positive Linux number. It has no stack unless it has a cause: programs ask for attributes
 * that are not there many thousand times a second, and capturing a stack costs more than answering.
 */
export class FsError extends Error {
  readonly code: ErrnoName;
  readonly errno: number;

  constructor(code: ErrnoName, message: string = code, options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    if (options?.cause === undefined) Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'FsError';
    this.code = code;
    this.errno = constants.errno[code];
  }
}

/** A failure that a user caused or can cure: printed as one line, without a stack. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}
