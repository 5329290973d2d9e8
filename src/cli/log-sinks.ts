/** The places that log messages go to: the terminal, a log file, syslog, the systemd journal. */
import { UserError } from '../util/errors.ts';
import type { LogLevel, LogRecord, LogSink } from '../util/log.ts';
import { RotatingFile } from '../util/rotating-file.ts';
import { EXIT_LOG_NOT_WRITABLE } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const SYSLOG_SOCKET = '/dev/log';
/** Facility "daemon" of syslog(3). */
const SYSLOG_FACILITY = 3;
/** What syslog daemons accept at least is 1 KiB, all in use 8 KiB. */
const SYSLOG_MAXIMUM_LENGTH = 8000;

/** Severities of syslog(3), also those of sd-daemon(3). */
const SEVERITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
const LABEL: Readonly<Record<LogLevel, string>> = { error: 'ERROR: ', warn: 'WARNING: ', info: '', debug: 'DEBUG: ' };

/** For people: no times; stacks only if debugging. */
export function consoleSink(terminal: Terminal, debug: boolean): LogSink {
  return {
    write({ level, module, message, errorText }) {
      const style = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : undefined;
      const label = style === undefined ? LABEL[level] : terminal.style(style, LABEL[level]);
      terminal.line(`${label}${level === 'debug' ? `${module}: ` : ''}${message}`);
      if (debug && errorText !== undefined) terminal.line(errorText);
    },
  };
}

/** One JSON object per line. */
export function jsonSink(writeLine: (line: string) => void): LogSink {
  return {
    write: ({ timeMs, ...record }) => writeLine(JSON.stringify({ log: { time: new Date(timeMs).toISOString(), ...record } })),
  };
}

/** A service's stderr, which the systemd journal reads: each line begins with its severity (sd-daemon(3)). */
export function journalSink(writeLine: (line: string) => void): LogSink {
  return {
    write(record) {
      for (const line of plainText(record).split('\n')) writeLine(`<${SEVERITY[record.level]}>${line}`);
    },
  };
}

/** A file for reading afterwards: with time, process and module. @throws UserError (10) if it cannot be written */
export function fileSink(path: string): LogSink & Disposable {
  const file = openLogFile(path);
  return {
    write(record) {
      file.write(`${localTime(record.timeMs)} ${process.pid} ${record.module} ${LABEL[record.level]}${record.message}`);
      if (record.errorText !== undefined) file.write(record.errorText);
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** The system's log. @throws UserError (10) if there is none */
export async function syslogSink(program: string, socketPath: string = SYSLOG_SOCKET): Promise<LogSink & Disposable> {
  const { UnixDatagramSender } = await import('../util/unix-datagram.ts');
  const sender = new UnixDatagramSender(socketPath);
  const send = (severity: number, text: string): void => {
    sender.send(`<${SYSLOG_FACILITY * 8 + severity}>${program}[${process.pid}]: ${text}`.slice(0, SYSLOG_MAXIMUM_LENGTH));
  };
  try {
    send(SEVERITY.debug, 'logging started');
  } catch (error) {
    throw new UserError(`cannot log to syslog: ${(error as Error).message} (${socketPath})`, EXIT_LOG_NOT_WRITABLE, { cause: error });
  }
  return {
    write(record) {
      try {
        send(SEVERITY[record.level], plainText(record));
      } catch {
        // The syslog daemon is restarting or behind; its clients go on without it.
      }
    },
    [Symbol.dispose]: () => sender[Symbol.dispose](),
  };
}

function openLogFile(path: string): RotatingFile {
  try {
    return new RotatingFile(path);
  } catch (error) {
    throw new UserError(`cannot write the log file: ${(error as Error).message}`, EXIT_LOG_NOT_WRITABLE, { cause: error });
  }
}

function plainText({ module, message, errorText }: LogRecord): string {
  return `${module}: ${message}${errorText === undefined ? '' : `\n${errorText}`}`;
}

/** `2026-11-22 18:04:05.678` in the machine's time zone. */
function localTime(timeMs: number): string {
  const offsetMs = new Date(timeMs).getTimezoneOffset() * 60_000;
  return new Date(timeMs - offsetMs).toISOString().slice(0, 23).replace('T', ' ');
}
