/**
 * The daemon's side of start-daemon.ts: the process that serves a mount in the background. Until the mount works its messages, progress and
 * questions go to the process that started it; afterwards everything goes to the log alone.
 */
import type { RunningMount } from '../mount/running-mount.ts';
import type { Interaction, SecretQuestion } from '../util/interaction.ts';
import { addLogSink, logger, setLogLevels } from '../util/log.ts';
import type { FromDaemon, ToDaemon } from './daemon-protocol.ts';
import type { LogTarget } from './options/values.ts';
import { levelsOf, openLog } from './output.ts';
import { lineDisplay } from './progress-display.ts';
import { reportProgress, type ProgressDisplay } from './progress.ts';
import { describeError, InterruptedError, ReportedError, type ErrorReport } from './report-error.ts';
import { serveMount } from './serve-mount.ts';

const log = logger('mount');

/** How often nothing is shown. */
const SILENT_INTERVAL_MS = 60_000;

export interface DaemonService<Request> {
  /** For ps(1) and syslog. */
  readonly program: string;
  readonly logTarget: (request: Request) => LogTarget;
  readonly start: (request: Request, interaction: Interaction) => Promise<RunningMount>;
  readonly reportPath: (request: Request) => string;
  /** Name of the socket on which tools hear how the mount ends. */
  readonly eventsPath: (request: Request) => string;
}

/** Serves one mount and ends the process with its exit code. */
export async function serveDaemon<Request>(service: DaemonService<Request>): Promise<never> {
  // What ps(1) shows.
  process.title = [service.program, ...process.argv.slice(2)].join(' ');
  const starter = new Starter<Request>();
  process.on('uncaughtException', (error) => {
    log.error(error, 'Unexpected failure: the mount process ends');
    void starter.fail(describeError(error));
  });
  const { request, output, progressIntervalMs } = await starter.begin();
  setLogLevels(levelsOf(output));
  const relayed = addLogSink({ write: (record) => starter.send({ type: 'log', record }) }, output.quiet ? 'warn' : 'debug');
  const display = new SwitchedDisplay(starter.display(progressIntervalMs));
  try {
    // Never closed: it is to have the last word.
    await openLog(service.logTarget(request), service.program);
    const exitCode = await serveMount({
      start: (interaction) => service.start(request, interaction),
      interaction: { progress: reportProgress(display), askSecret: (question) => starter.ask(question) },
      interrupted: starter.interrupted,
      reportPath: service.reportPath(request),
      eventsPath: service.eventsPath(request),
      onReady(mount) {
        relayed[Symbol.dispose]();
        display.current = lineDisplay((line) => log.info('%s', line));
        log.info('Mounted on %s by process %d', mount.mountpoint, process.pid);
        starter.ready();
      },
    });
    return process.exit(exitCode);
  } catch (error) {
    // The starter prints the report: it need not see the message, too.
    relayed[Symbol.dispose]();
    const report = describeError(error);
    if (report.details !== undefined) log.error(error, '%s', report.message);
    else if (report.message !== undefined) log.error('%s', report.message);
    return starter.fail(report);
  }
}

/** The process that started this one. */
class Starter<Request> {
  readonly #interrupted = new AbortController();
  readonly #questions = new Map<number, PromiseWithResolvers<string>>();
  #started: PromiseWithResolvers<Extract<ToDaemon<Request>, { type: 'start' }>> = Promise.withResolvers();
  #isReady = false;

  constructor() {
    process.on('message', (message) => this.#receive(message as ToDaemon<Request>));
    process.on('disconnect', () => {
      if (!this.#isReady) this.#giveUp();
    });
  }

  /** Aborted when the person gave up, or when the starter died before the mount worked. */
  get interrupted(): AbortSignal {
    return this.#interrupted.signal;
  }

  begin(): Promise<Extract<ToDaemon<Request>, { type: 'start' }>> {
    return this.#started.promise;
  }

  send(message: FromDaemon): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }

  ready(): void {
    this.#isReady = true;
    this.send({ type: 'ready' });
    // The starter hangs up unless it has to tell us of a Ctrl-C in the last moment.
    process.channel?.unref();
  }

  /** Ends the process once the report is on its way. */
  async fail(report: ErrorReport): Promise<never> {
    if (!this.#isReady && process.connected) {
      const { promise, resolve } = Promise.withResolvers<void>();
      process.send?.({ type: 'failed', report } satisfies FromDaemon, undefined, undefined, () => resolve());
      await promise;
    }
    process.exit(report.exitCode);
  }

  ask(question: SecretQuestion): Promise<string> {
    if (this.#interrupted.signal.aborted) throw new InterruptedError();
    const id = this.#questions.size;
    const answer = Promise.withResolvers<string>();
    this.#questions.set(id, answer);
    this.send({ type: 'ask', id, question });
    return answer.promise;
  }

  display(intervalMs: number | undefined): ProgressDisplay {
    const shown = intervalMs !== undefined;
    return {
      intervalMs: intervalMs ?? SILENT_INTERVAL_MS,
      show: (steps) => shown && this.send({ type: 'progress', steps }),
      finished: (step) => shown && this.send({ type: 'progress-finished', step }),
    };
  }

  #receive(message: ToDaemon<Request>): void {
    switch (message.type) {
      case 'start':
        this.#started.resolve(message);
        return;
      case 'answer':
        this.#questions.get(message.id)?.resolve(message.text);
        return;
      case 'refusal':
        this.#questions.get(message.id)?.reject(new ReportedError(message.report));
        return;
      case 'interrupt':
        this.#giveUp();
    }
  }

  #giveUp(): void {
    this.#interrupted.abort();
    this.#started.reject(new InterruptedError());
    for (const question of this.#questions.values()) question.reject(new InterruptedError());
  }
}

/** A display that can be exchanged while steps are under way. */
class SwitchedDisplay implements ProgressDisplay {
  current: ProgressDisplay;

  constructor(display: ProgressDisplay) {
    this.current = display;
  }

  get intervalMs(): number {
    return this.current.intervalMs;
  }

  show(steps: Parameters<ProgressDisplay['show']>[0]): void {
    this.current.show(steps);
  }

  finished(step: Parameters<ProgressDisplay['finished']>[0]): void {
    this.current.finished(step);
  }
}
