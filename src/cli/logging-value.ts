/** What is asked of a mount's log, as the control file takes it: a level as Python's logging counts, and modules. */
import type { LogLevel } from '../util/log.ts';

export type ControllableLogLevel = Exclude<LogLevel, 'error'>;
export const CONTROLLABLE_LOG_LEVELS: readonly ControllableLogLevel[] = ['debug', 'info', 'warn'];

const PYTHON_LEVELS: Readonly<Record<ControllableLogLevel, number>> = { debug: 10, info: 20, warn: 30 };

/** Debug messages of all modules if none is named. */
export function loggingValue(level: ControllableLogLevel, modules: readonly string[]): string {
  const wanted = level === 'debug' && modules.length === 0 ? ['all'] : modules;
  return `(${PYTHON_LEVELS[level]}, '${wanted.join(',')}')`;
}
