import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

const UNSUPPORTED: ReadonlySet<number> = new Set([constants.errno.EOPNOTSUPP, constants.errno.ENOSYS]);

/** A system call of ours that failed. `errno` is the positive Linux number, `code` its name. */
export class SystemCallError extends Error {
  readonly syscall: string;
  readonly errno: number;
  readonly code: string;

  constructor(syscall: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${syscall}: ${code}`);
    this.name = 'SystemCallError';
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

/** Whether the kernel, or the file system that holds the file, lacks the call. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof SystemCallError && UNSUPPORTED.has(error.errno);
}
