import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { InterruptedError } from './report-error.ts';
import { SecretReader } from './secret-reader.ts';

const QUESTION = { prompt: 'Passphrase' };
const TWICE = { prompt: 'Passphrase', confirmPrompt: 'Again' };

class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  readonly shown: string[] = [];
  /** What the terminal did not echo would be seen here. */
  raw = false;
  setRawMode(raw: boolean): void {
    this.raw = raw;
    this.shown.push(raw ? '<raw>' : '<cooked>');
  }
  reader(): SecretReader {
    return new SecretReader(this, (text) => void this.shown.push(text));
  }
}

function typed(keys: string | Buffer): FakeTerminal {
  const terminal = new FakeTerminal();
  terminal.write(keys);
  return terminal;
}

test('a terminal is asked without echo and is as before afterwards', async () => {
  const terminal = typed('secret\r');
  expect(await terminal.reader().ask(QUESTION)).toBe('secret');
  expect(terminal.shown).toEqual(['<raw>', 'Passphrase: ', '<cooked>', '\n']);
  expect(terminal.isPaused()).toBe(true);
});

test.each([
  ['backspace and delete', 'abcd\u007f\u0008x\r', 'abx'],
  ['backspace on an empty line', '\u007f\u007fa\r', 'a'],
  ['backspace after characters of several bytes', 'a😀\u007fé\u007fö\r', 'aö'],
  ['Ctrl-U', 'wrong\u0015right\r', 'right'],
  ['keys that are no characters', 'a\u001b[A\u001b[3~\u001bOPb\u0001\tc\r', 'abc'],
  ['a newline instead of Return', 'a\n', 'a'],
  ['nothing at all', '\r', ''],
  ['spaces', ' a b \r', ' a b '],
])('a terminal handles %s', async (_what, keys, answer) => {
  expect(await typed(keys).reader().ask(QUESTION)).toBe(answer);
});

test('an answer may arrive byte by byte', async () => {
  const terminal = new FakeTerminal();
  const answer = terminal.reader().ask(QUESTION);
  for (const byte of Buffer.from('pä\u007fß\r')) terminal.write(Buffer.of(byte));
  expect(await answer).toBe('pß');
});

test('two equal entries are the answer; what was typed ahead is used', async () => {
  const terminal = typed('one\rone\rtwo\r');
  const reader = terminal.reader();
  expect(await reader.ask(TWICE)).toBe('one');
  expect(await reader.ask(QUESTION)).toBe('two');
});

test('two different entries are refused', async () => {
  await expect(typed('one\rother\r').reader().ask(TWICE)).rejects.toMatchObject({ name: 'UserError', exitCode: 1 });
});

test('Ctrl-C gives up and restores the terminal', async () => {
  const terminal = typed('abc\u0003');
  await expect(terminal.reader().ask(QUESTION)).rejects.toBeInstanceOf(InterruptedError);
  expect(terminal.raw).toBe(false);
});

test('Ctrl-D on an empty line is no answer, later it is ignored', async () => {
  await expect(typed('\u0004').reader().ask(QUESTION)).rejects.toMatchObject({ name: 'UserError' });
  expect(await typed('a\u0004b\r').reader().ask(QUESTION)).toBe('ab');
});

test('a question is given up when its signal is aborted, and the terminal restored', async () => {
  const terminal = new FakeTerminal();
  const interrupt = new AbortController();
  const answer = terminal.reader().ask(QUESTION, interrupt.signal);
  interrupt.abort();
  await expect(answer).rejects.toBeInstanceOf(InterruptedError);
  expect([terminal.raw, terminal.isPaused()]).toEqual([false, true]);
});

function piped(text: string | Buffer): { reader: SecretReader; shown: string[] } {
  const input = new PassThrough();
  input.end(text);
  const shown: string[] = [];
  return { reader: new SecretReader(input, (prompt) => void shown.push(prompt)), shown };
}

test('without a terminal each question takes a line, is not shown, and is not asked twice', async () => {
  const { reader, shown } = piped('first\r\nsecond\nthird');
  expect(await reader.ask(TWICE)).toBe('first');
  expect(await reader.ask(QUESTION)).toBe('second');
  expect(await reader.ask(QUESTION)).toBe('third');
  await expect(reader.ask(QUESTION)).rejects.toMatchObject({ name: 'UserError', exitCode: 1 });
  expect(shown).toEqual([]);
});

test('an answer that is not UTF-8 or endless is refused', async () => {
  await expect(piped(Buffer.from([0xff, 0x0a])).reader.ask(QUESTION)).rejects.toThrow('not valid UTF-8');
  await expect(piped(Buffer.alloc(100_000, 'a')).reader.ask(QUESTION)).rejects.toThrow('at most 65536 bytes');
});
