import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeStream } from '../../tests/support/fake-stream.ts';
import { UnixDatagramReceiver } from '../../tests/support/unix-datagram-receiver.ts';
import type { LogRecord } from '../util/log.ts';
import { consoleSink, fileSink, journalSink, jsonSink, syslogSink } from './log-sinks.ts';
import { Terminal } from './terminal.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'log-sinks-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const TIME_MS = new Date(2026, 10, 22, 18, 4, 5, 678).getTime();
const RECORDS: readonly LogRecord[] = [
  { timeMs: TIME_MS, level: 'debug', module: 'blocks', message: 'detail' },
  { timeMs: TIME_MS, level: 'info', module: 'mount', message: 'Mounting' },
  { timeMs: TIME_MS, level: 'error', module: 'blocks', message: 'upload failed', errorText: 'Error: x\n    at y' },
];

test('on the terminal messages are for people: no times, no stacks unless debugging, no colours where none are shown', () => {
  const stream = new FakeStream();
  const terminal = new Terminal(stream, {});
  for (const record of RECORDS) consoleSink(terminal, false).write(record);
  expect(stream.written.join('')).toBe('DEBUG: blocks: detail\nMounting\nERROR: upload failed\n');
  stream.written.length = 0;
  for (const record of RECORDS.slice(2)) consoleSink(terminal, true).write(record);
  expect(stream.written.join('')).toBe('ERROR: upload failed\nError: x\n    at y\n');
});

test('on a terminal with colours warnings and errors stand out, unless NO_COLOR is set', () => {
  const shown = (record: LogRecord): string => {
    const stream = new FakeStream({ isTTY: true });
    consoleSink(new Terminal(stream, {}), false).write(record);
    return stream.written.join('');
  };
  vi.stubEnv('TERM', 'xterm-256color');
  vi.stubEnv('NO_COLOR', undefined);
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NODE_DISABLE_COLORS', undefined);
  vi.stubEnv('CI', undefined);
  expect(RECORDS.map(shown)).toEqual(['DEBUG: blocks: detail\n', 'Mounting\n', '\u001B[31mERROR: \u001B[39mupload failed\n']);
  vi.stubEnv('NO_COLOR', '1');
  expect(RECORDS.map(shown)[2]).toBe('ERROR: upload failed\n');
  vi.unstubAllEnvs();
});

test('in a file messages have time, process and module', () => {
  const path = join(directory, 'log');
  using sink = fileSink(path);
  for (const record of RECORDS) sink.write(record);
  const start = `2026-11-22 18:04:05.678 ${process.pid}`;
  expect(readFileSync(path, 'utf8')).toBe(
    `${start} blocks DEBUG: detail\n${start} mount Mounting\n${start} blocks ERROR: upload failed\nError: x\n    at y\n`,
  );
});

test('for the journal each line has its severity', () => {
  const lines: string[] = [];
  const sink = journalSink((line) => lines.push(line));
  for (const record of RECORDS) sink.write(record);
  expect(lines).toEqual(['<7>blocks: detail', '<6>mount: Mounting', '<3>blocks: upload failed', '<3>Error: x', '<3>    at y']);
});

test('as JSON each message is an object of one line', () => {
  const lines: string[] = [];
  jsonSink((line) => lines.push(line)).write({ timeMs: 0, level: 'warn', module: 'blocks', message: 'slow' });
  expect(lines).toEqual(['{"log":{"time":"1970-01-01T00:00:00.000Z","level":"warn","module":"blocks","message":"slow"}}']);
});

test('syslog gets facility, severity, program and process', async () => {
  const path = join(directory, 'dev-log');
  {
    using receiver = new UnixDatagramReceiver(path);
    using sink = await syslogSink('mount.s3ql', path);
    receiver.received();
    sink.write({ timeMs: TIME_MS, level: 'warn', module: 'blocks', message: 'slow' });
    expect(receiver.received()).toEqual([`<28>mount.s3ql[${process.pid}]: blocks: slow`]);
  }
});

test('a log that cannot be written is refused with exit code 10', async () => {
  expect(() => fileSink(join(directory, 'missing', 'log'))).toThrow(expect.objectContaining({ name: 'UserError', exitCode: 10 }) as Error);
  await expect(syslogSink('mount.s3ql', join(directory, 'nobody'))).rejects.toMatchObject({ name: 'UserError', exitCode: 10 });
});
