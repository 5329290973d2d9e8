import { expect, test } from 'vitest';
import {
  AuthenticationError,
  BackendError,
  CorruptedObjectError,
  HostNotFoundError,
  NoSuchContainerError,
  PermissionError,
} from '../backends/errors.ts';
import { UserError } from '../util/errors.ts';
import { describeError, formatErrorReport, InterruptedError, ReportedError } from './report-error.ts';

test('an error made for people is one line with its exit code, without a stack', () => {
  const report = describeError(new UserError('wrong passphrase:\n  try again', 17, { cause: new Error('hmac') }));
  expect(report).toEqual({ exitCode: 17, message: 'Wrong passphrase: try again' });
  expect(formatErrorReport(report, false)).toBe('error: Wrong passphrase: try again\n');
  expect(JSON.parse(formatErrorReport(report, true))).toEqual({ error: { message: 'Wrong passphrase: try again', exitCode: 17 } });
});

test.each([
  [new AuthenticationError('bad key'), 14],
  [new PermissionError('forbidden'), 15],
  [new NoSuchContainerError('no bucket'), 16],
  [new HostNotFoundError('no host'), 19],
  [new CorruptedObjectError('damaged'), 1],
  [new BackendError('other'), 1],
])('%s of a store has the documented exit code', (error, exitCode) => {
  expect(describeError(error)).toEqual({ exitCode, message: error.message.replace(/^./, (first) => first.toUpperCase()) });
});

test.each([
  ['nothing was given', 'Nothing was given'],
  ["bucket 'b' does not exist", "Bucket 'b' does not exist"],
  ['/dir is no mountpoint', '/dir is no mountpoint'],
  ['--a and --b exclude each other', '--a and --b exclude each other'],
  ['s3.example.com answered HTTP 500', 's3.example.com answered HTTP 500'],
  ['localhost:8080 does not answer', 'localhost:8080 does not answer'],
  ["command-argument value 'x' is invalid", "Command-argument value 'x' is invalid"],
  ['s3ql_params is damaged', 's3ql_params is damaged'],
  ['"log" takes a level', '"log" takes a level'],
])('a line begins with a capital, unless with a name: %s', (message, line) => {
  expect(describeError(new UserError(message))).toMatchObject({ message: line });
  expect(describeError(new BackendError(message))).toMatchObject({ message: line });
});

test('what nobody expected shows its stack and asks for a report', () => {
  const text = formatErrorReport(describeError(new TypeError('x is undefined')), false);
  expect(text).toMatch(/^error: Unexpected failure: x is undefined\nThis is a bug\./);
  expect(text).toContain('report-error.test.ts');
  expect(describeError('thrown text')).toMatchObject({ exitCode: 1, message: 'Unexpected failure: thrown text' });
});

test('Ctrl-C and a reader that went away end a command without a word', () => {
  const brokenPipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  expect(describeError(new InterruptedError())).toEqual({ exitCode: 130 });
  expect(describeError(brokenPipe)).toEqual({ exitCode: 141 });
  expect(formatErrorReport({ exitCode: 130 }, true)).toBe('');
});

test('an error that another process described is passed on as it is', () => {
  const report = { exitCode: 18, message: 'no file system' };
  expect(describeError(new ReportedError(report))).toBe(report);
});
