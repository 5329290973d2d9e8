/**
 * Logging: every module has a logger of its own (`logger('blocks')`), whose level can be changed while the program runs; what is logged goes
 * to all sinks there are at that moment. Without a sink nothing is written anywhere.
 *
 * Sinks write synchronously, so that a message is out before the program can die of what it was about. In a worker thread without sinks of
 * its own, messages go to the sinks of the main thread, and levels follow those there.
 *
 * Rule for callers: nothing secret (passphrases, keys, tokens, URLs with credentials) in a message or in an error that is logged.
 */
import { BroadcastChannel, getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { pino, type Logger as PinoLogger } from 'pino';
import { errorText } from './error-text.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogRecord {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly module: string;
  readonly message: string;
  /** Stack and causes of the error that was passed along. */
  readonly errorText?: string;
}

export interface LogSink {
  /** Must not throw and must not log. */
  write(record: LogRecord): void;
}

/** `message` may have %s, %d and %j for the values; a leading error is shown with its stack where there is room for it. */
interface LogMethod {
  (message: string, ...values: readonly unknown[]): void;
  (error: unknown, message: string, ...values: readonly unknown[]): void;
}

export type Logger = Readonly<Record<LogLevel, LogMethod>> & { isLevelEnabled(level: LogLevel): boolean };

/** Which messages are made at all: those of `level` and above, and also debug messages of the modules. */
export interface LogLevels {
  readonly level: LogLevel;
  /** `blocks` also covers `blocks/upload`; `all` covers everything. */
  readonly debugModules: readonly string[];
}

const CHANNEL = 's3ql-log';
const LEVELS_KEY = 's3ql-log-levels';
const DEFAULT_LEVELS: LogLevels = { level: 'info', debugModules: [] };

interface Sink {
  readonly sink: LogSink;
  readonly minimum: LogLevel;
}

type ChannelMessage = { readonly record: LogRecord } | { readonly levels: LogLevels };

const sinks = new Set<Sink>();
const loggers = new Map<string, PinoLogger>();
let levels: LogLevels = (getEnvironmentData(LEVELS_KEY) as LogLevels | undefined) ?? DEFAULT_LEVELS;
let channel: BroadcastChannel | undefined;

/** What pino leaves on a stream that asks for it, beside the JSON text that is of no use here. */
const stream = {
  [pino.symbols.needsMetadataGsym]: true,
  lastLevel: 0,
  lastMsg: undefined as string | undefined,
  lastObj: {} as { err?: unknown },
  lastLogger: undefined as PinoLogger | undefined,
  write(): void {
    const { err } = this.lastObj;
    dispatch({
      timeMs: Date.now(),
      level: pino.levels.labels[this.lastLevel] as LogLevel,
      module: (this.lastLogger ?? root).bindings()['module'] as string,
      message: this.lastMsg ?? '',
      ...(err === undefined ? {} : { errorText: errorText(err) }),
    });
  },
};

const root = pino({ base: null, timestamp: false, serializers: { err: () => undefined } }, stream);

/** The logger of a module, named after its directory and file, as in `blocks/upload`. */
export function logger(module: string): Logger {
  let found = loggers.get(module);
  if (found === undefined) {
    found = root.child({ module }, { level: levelOf(module) });
    loggers.set(module, found);
    // A worker that makes a logger wants to hear of later changes.
    if (!isMainThread) openChannel();
  }
  return found;
}

/** Changes, for all modules at once and also in worker threads, what is logged. */
export function setLogLevels(next: LogLevels): void {
  applyLevels(next);
  if (!isMainThread) return;
  setEnvironmentData(LEVELS_KEY, next);
  openChannel().postMessage({ levels: next } satisfies ChannelMessage);
}

/** From now on messages of `minimum` and above go to the sink, too, until the result is disposed. */
export function addLogSink(sink: LogSink, minimum: LogLevel = 'debug'): Disposable {
  const entry = { sink, minimum };
  sinks.add(entry);
  if (isMainThread) openChannel();
  return { [Symbol.dispose]: () => void sinks.delete(entry) };
}

/** Collects what is logged (for tests). */
export function recordLogs(): Disposable & { readonly records: readonly LogRecord[] } {
  const records: LogRecord[] = [];
  const added = addLogSink({ write: (record) => void records.push(record) });
  return { records, [Symbol.dispose]: () => added[Symbol.dispose]() };
}

/** Passes a record that was made elsewhere (a worker, a daemon being started) to the sinks of this thread. */
export function dispatch(record: LogRecord): void {
  if (sinks.size === 0 && !isMainThread) {
    openChannel().postMessage({ record } satisfies ChannelMessage);
    return;
  }
  const severity = LOG_LEVELS.indexOf(record.level);
  for (const { sink, minimum } of sinks) {
    if (severity >= LOG_LEVELS.indexOf(minimum)) sink.write(record);
  }
}

function levelOf(module: string): LogLevel {
  const wanted = levels.debugModules.some((name) => name === 'all' || name === module || module.startsWith(`${name}/`));
  return wanted ? 'debug' : levels.level;
}

function applyLevels(next: LogLevels): void {
  levels = next;
  for (const [module, logger] of loggers) logger.level = levelOf(module);
}

/** The channel never keeps the process alive. */
function openChannel(): BroadcastChannel {
  if (channel === undefined) {
    channel = new BroadcastChannel(CHANNEL);
    channel.addEventListener('message', ({ data }: { readonly data: ChannelMessage }) => {
      if ('levels' in data) applyLevels(data.levels);
      else if (isMainThread) dispatch(data.record);
    });
    channel.unref();
  }
  return channel;
}
