/**
 * Everything a command says besides its results: messages, warnings and progress on stderr, and the log. Set up once per process from the
 * options that all commands share.
 */
import { addLogSink, setLogLevels, type LogLevels, type LogSink } from '../util/log.ts';
import { silentProgress, type ProgressReporter } from '../util/progress.ts';
import { consoleSink, fileSink, journalSink, jsonSink, syslogSink } from './log-sinks.ts';
import type { LogOptions, OutputOptions } from './options/shared.ts';
import type { LogTarget } from './options/values.ts';
import { jsonDisplay, lineDisplay, terminalDisplay } from './progress-display.ts';
import { reportProgress, type ProgressDisplay } from './progress.ts';
import { Terminal, type MessageStream } from './terminal.ts';

export interface Output extends Disposable {
  readonly terminal: Terminal;
  /** Where progress is shown; undefined: nowhere. */
  readonly display: ProgressDisplay | undefined;
  readonly progress: ProgressReporter;
}

export interface OutputSettings extends OutputOptions {
  readonly journal?: boolean;
  /** Besides progress, only warnings and errors go to the terminal: for commands whose output is the point. */
  readonly terse?: boolean;
}

/** Messages of the log and progress go to stderr from now on, in the form the options ask for. */
export function openOutput(settings: OutputSettings, stream: MessageStream = process.stderr): Output {
  const { debug, debugModules, quiet, json, journal = false, terse = false } = settings;
  const terminal = new Terminal(stream);
  const writeLine = (line: string): void => terminal.line(line);
  const debugging = debug || debugModules.length > 0;
  setLogLevels(levelsOf(settings));
  const sink = json ? jsonSink(writeLine) : journal ? journalSink(writeLine) : consoleSink(terminal, debugging);
  const added = addLogSink(sink, quiet || (terse && !debugging) ? 'warn' : 'debug');
  const display = quiet
    ? undefined
    : json
      ? jsonDisplay(writeLine)
      : terminal.interactive
        ? terminalDisplay(terminal)
        : lineDisplay(writeLine);
  return {
    terminal,
    display,
    progress: display === undefined ? silentProgress : reportProgress(display),
    [Symbol.dispose]: () => added[Symbol.dispose](),
  };
}

/** What is logged at all. */
export function levelsOf({ debug, debugModules }: OutputOptions): LogLevels {
  return { level: 'info', debugModules: debug ? ['all'] : debugModules };
}

/** From now on the log also goes to the target. @throws UserError (10) if that cannot be written */
export async function openLog(target: LogTarget, program: string): Promise<Disposable> {
  const sink: (LogSink & Disposable) | undefined =
    target.kind === 'file' ? fileSink(target.path) : target.kind === 'syslog' ? await syslogSink(program) : undefined;
  const added = sink && addLogSink(sink);
  return {
    [Symbol.dispose]() {
      added?.[Symbol.dispose]();
      sink?.[Symbol.dispose]();
    },
  };
}

/** For commands that run in one process and log to where `--log` says, by default nowhere. */
export async function openCommandOutput(options: OutputSettings & LogOptions, program: string): Promise<Output> {
  const output = openOutput(options);
  const log = options.log === undefined ? undefined : await openLog(options.log, program);
  return {
    ...output,
    [Symbol.dispose]() {
      log?.[Symbol.dispose]();
      output[Symbol.dispose]();
    },
  };
}
