/**
 * What a person (or, with --json, a program) gets to see of an error, and the exit code: decided here for all commands. Errors that were
 * made for people are one line; everything else is a bug and shows its stack.
 */
import {
  AuthenticationError,
  BackendError,
  HostNotFoundError,
  MisconfigurationError,
  NoSuchContainerError,
  PermissionError,
} from '../backends/errors.ts';
import { errorText } from '../util/error-text.ts';
import { UserError } from '../util/errors.ts';
import {
  EXIT_AUTHENTICATION_FAILED,
  EXIT_BROKEN_PIPE,
  EXIT_ERROR,
  EXIT_HOST_NOT_FOUND,
  EXIT_INTERRUPTED,
  EXIT_INVALID_COMMAND_LINE,
  EXIT_NO_CONTAINER,
  EXIT_NO_PERMISSION,
} from './exit-codes.ts';

export interface ErrorReport {
  readonly exitCode: number;
  /** One line, without "error: ". Absent if nothing is to be said. */
  readonly message?: string;
  /** For bugs: what goes into a report of it. */
  readonly details?: string;
}

/** Thrown when the person gave up: the command ends without a word. */
export class InterruptedError extends Error {
  constructor(options?: ErrorOptions) {
    super('interrupted', options);
    this.name = 'InterruptedError';
  }
}

/** An error of another process, which has described it already. */
export class ReportedError extends Error {
  readonly report: ErrorReport;
  constructor(report: ErrorReport) {
    super(report.message ?? 'interrupted');
    this.name = 'ReportedError';
    this.report = report;
  }
}

const BACKEND_EXIT_CODES: readonly (readonly [new (message: string) => BackendError, number])[] = [
  [AuthenticationError, EXIT_AUTHENTICATION_FAILED],
  [PermissionError, EXIT_NO_PERMISSION],
  [NoSuchContainerError, EXIT_NO_CONTAINER],
  [HostNotFoundError, EXIT_HOST_NOT_FOUND],
  [MisconfigurationError, EXIT_INVALID_COMMAND_LINE],
];

/** What to say of an error that ended a command. */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof ReportedError) return error.report;
  if (error instanceof UserError) return { exitCode: error.exitCode, message: sentence(error.message) };
  if (error instanceof BackendError) {
    const known = BACKEND_EXIT_CODES.find(([type]) => error instanceof type);
    return { exitCode: known?.[1] ?? EXIT_ERROR, message: sentence(error.message) };
  }
  if (error instanceof InterruptedError) return { exitCode: EXIT_INTERRUPTED };
  // Whoever read our output has seen enough.
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return { exitCode: EXIT_BROKEN_PIPE };
  // Of Node's process.cwd().
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return { exitCode: EXIT_ERROR, message: 'The current directory has been removed: change to another, or give absolute paths' };
  }
  const summary = error instanceof Error ? error.message : String(error);
  return { exitCode: EXIT_ERROR, message: sentence(`unexpected failure: ${summary}`), details: errorText(error) };
}

/** The report as it goes to stderr, with the end of the last line; empty if nothing is to be said. */
export function formatErrorReport(report: ErrorReport, json: boolean): string {
  if (report.message === undefined) return '';
  const { message, exitCode, details } = report;
  if (json) return `${JSON.stringify({ error: { message, exitCode, details } })}\n`;
  if (details === undefined) return `error: ${message}\n`;
  return `error: ${message}\nThis is a bug. Please report it together with these lines:\n${details}\n`;
}

/**
 * A message as it stands in a line of its own. Messages may be clauses, because others quote them; alone they begin with a capital, unless they
 * begin with a name: a path, an option, a host, a key.
 */
function sentence(message: string): string {
  const line = message.replaceAll(/\s*\n\s*/g, ' ').trim();
  return /^[a-z]+(?:-[a-z]+)*(?:[ ,;']|: |$)/.test(line) ? line.charAt(0).toUpperCase() + line.slice(1) : line;
}
