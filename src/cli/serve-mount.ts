/**
 * Runs a mount in this process from its start to its end, whatever ends it: somebody unmounts, Ctrl-C, SIGTERM of systemd or a shutdown.
 * Signals mean a clean unmount with everything stored.
 */
import type { RunningMount } from '../mount/running-mount.ts';
import { logger } from '../util/log.ts';
import { allReporters } from '../util/progress.ts';
import { MountEvents } from './mount-events.ts';
import { reportProgress } from './progress.ts';
import { InterruptedError } from './report-error.ts';
import type { Interaction } from '../util/interaction.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const log = logger('mount');

export interface ServeMountOptions {
  readonly start: (interaction: Interaction) => Promise<RunningMount>;
  readonly interaction: Omit<Interaction, 'signal'>;
  /** Path of the socket on which the mount and tools speak to each other. */
  readonly eventsPath: string;
  /** Aborted from elsewhere when the person who started this gave up; has the effect of a signal. */
  readonly interrupted?: AbortSignal;
  /** The mount works. */
  readonly onReady?: (mount: RunningMount) => void;
  /** The mount is about to end. */
  readonly onStopping?: () => void;
  /** Where the diagnostic report of SIGUSR1 goes; absent: Node's default, the current directory. */
  readonly reportPath?: string;
}

/**
 * Resolves with the exit code when the mount has ended.
 * @throws what `start` throws, InterruptedError if it was told to stop
 */
export async function serveMount(options: ServeMountOptions): Promise<number> {
  const stop = new AbortController();
  const onSignal = (signal: string): void => {
    if (stop.signal.aborted) log.info('%s: the mount is being ended already', signal);
    else log.info('%s: ending the mount', signal);
    stop.abort();
  };
  const onInterrupted = (): void => stop.abort();
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.on('SIGUSR1', writeReport);
  if (options.interrupted?.aborted === true) stop.abort();
  options.interrupted?.addEventListener('abort', onInterrupted);
  try {
    using events = await MountEvents.open(options.eventsPath);
    const progress = allReporters([options.interaction.progress, reportProgress(events.display)]);
    const mount = await options.start({ ...options.interaction, progress, signal: stop.signal }).catch((error: unknown) => {
      // Whatever it failed of: the person has given up.
      throw stop.signal.aborted ? new InterruptedError({ cause: error }) : error;
    });
    const unmount = (): void => {
      options.onStopping?.();
      mount.unmount().catch((error: unknown) => log.error(error, 'Cannot unmount %s: %s', mount.mountpoint, message(error)));
    };
    events.answer = (request) => mount.answer(request);
    options.onReady?.(mount);
    if (stop.signal.aborted) unmount();
    else stop.signal.addEventListener('abort', unmount, { once: true });
    const { exitCode } = await mount.ended;
    await events.ended(exitCode);
    return exitCode;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.off('SIGUSR1', writeReport);
    options.interrupted?.removeEventListener('abort', onInterrupted);
  }

  /** What every thread is doing, for a bug report; without this handler Node would open a debugging port. */
  function writeReport(): void {
    if (process.report === undefined) return;
    process.report.excludeEnv = true;
    log.info('Diagnostic report written to %s', process.report.writeReport(options.reportPath));
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
