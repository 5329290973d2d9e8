/**
 * Starts a mount that outlives this process. Node cannot fork, so the daemon is a new Node process in a session of its own, which gets what
 * it needs over a channel and uses this process as its terminal until the mount works.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { UserError } from '../util/errors.ts';
import { dispatch } from '../util/log.ts';
import type { FromDaemon, ToDaemon } from './daemon-protocol.ts';
import { EXIT_CACHEDIR, EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts';
import type { OutputOptions } from './options/shared.ts';
import type { Output } from './output.ts';
import { describeError, ReportedError } from './report-error.ts';
import type { SecretReader } from './secret-reader.ts';

/** Only the owner may read what a crash leaves. */
const CRASH_LOG_MODE = 0o600;

export interface DaemonOptions<Request> {
  /** The module that calls serveDaemon. */
  readonly modulePath: string;
  /** Seen by ps(1): nothing secret. */
  readonly visibleArguments: readonly string[];
  /** Sent to the daemon: plain data; secrets are safe here. */
  readonly request: Request;
  readonly options: OutputOptions;
  readonly output: Pick<Output, 'display'>;
  readonly secrets: SecretReader;
  /** Gets the daemon's stderr: what Node itself says when it crashes. */
  readonly crashLogPath: string;
}

/**
 * Resolves when the mount works (0), or when the daemon has cleaned up after Ctrl-C (130).
 * @throws ReportedError for what the daemon said when it failed, UserError if it died without a word
 */
export async function startDaemon<Request>(settings: DaemonOptions<Request>): Promise<number> {
  const { output, options, request } = settings;
  const child = forkDaemon(settings);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const interrupted = new AbortController();
  const send = (message: ToDaemon<Request>): void => {
    // A daemon that has died is noticed by its exit.
    if (child.connected) child.send(message, () => undefined);
  };
  const onInterrupt = (): void => {
    interrupted.abort();
    send({ type: 'interrupt' });
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    const outcome = Promise.withResolvers<'ready' | 'gone'>();
    child.on('message', (message) => handle(message as FromDaemon, settings, send, interrupted.signal, outcome));
    // Messages may still be on their way when the process has ended; the channel's end comes after them.
    child.once('disconnect', () => outcome.resolve('gone'));
    send({ type: 'start', request, output: options, progressIntervalMs: output.display?.intervalMs });
    const reached = await outcome.promise;
    // It may have become ready in the very moment of Ctrl-C, and then unmounts.
    if (reached === 'ready' && !interrupted.signal.aborted) return EXIT_OK;
    const [code, signal] = await exited;
    if (interrupted.signal.aborted) return EXIT_INTERRUPTED;
    throw new UserError(`the mount process died (${signal ?? `exit code ${code}`}): see ${settings.crashLogPath}`, EXIT_ERROR);
  } catch (error) {
    // It has said why it fails; what it holds must be free again when this process ends.
    await exited;
    throw error;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    output.display?.show([]);
    child.unref();
    if (child.connected) child.disconnect();
  }
}

function forkDaemon<Request>({ modulePath, visibleArguments, crashLogPath }: DaemonOptions<Request>): ChildProcess {
  const crashLog = openCrashLog(crashLogPath);
  try {
    return fork(modulePath, visibleArguments, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', crashLog, 'ipc'],
      serialization: 'advanced',
    });
  } finally {
    closeSync(crashLog);
  }
}

function openCrashLog(path: string): number {
  try {
    return openSync(path, 'a', CRASH_LOG_MODE);
  } catch (error) {
    throw new UserError(`the cache directory cannot be used: ${(error as Error).message}`, EXIT_CACHEDIR, { cause: error });
  }
}

/** Does what the daemon asks for, and settles the outcome when it says how it went. */
function handle<Request>(
  message: FromDaemon,
  { output, secrets }: DaemonOptions<Request>,
  send: (message: ToDaemon<Request>) => void,
  signal: AbortSignal,
  outcome: PromiseWithResolvers<'ready' | 'gone'>,
): void {
  switch (message.type) {
    case 'log':
      dispatch(message.record);
      break;
    case 'progress':
      output.display?.show(message.steps);
      break;
    case 'progress-finished':
      output.display?.finished(message.step);
      break;
    case 'ask': {
      const { id, question } = message;
      output.display?.show([]);
      secrets.ask(question, signal).then(
        (text) => send({ type: 'answer', id, text }),
        (error: unknown) => send({ type: 'refusal', id, report: describeError(error) }),
      );
      break;
    }
    case 'ready':
      outcome.resolve('ready');
      break;
    case 'failed':
      outcome.reject(new ReportedError(message.report));
  }
}
