import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeStream } from '../../tests/support/fake-stream.ts';
import { jsonDisplay, lineDisplay, progressText, terminalDisplay } from './progress-display.ts';
import { reportProgress } from './progress.ts';
import { Terminal } from './terminal.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const MIB = 1024 * 1024;

test('a long step is shown in lines with counts, sizes, rate and time left', () => {
  const lines: string[] = [];
  const step = reportProgress(lineDisplay((line) => lines.push(line))).step('Uploading data', 'blocks');
  step.update({ done: 1, total: 40, bytesDone: 10 * MIB, bytesTotal: 40 * MIB });
  vi.advanceTimersByTime(5000);
  step.update({ done: 30, bytesDone: 30 * MIB });
  vi.advanceTimersByTime(5000);
  step.update({ done: 40, bytesDone: 40 * MIB });
  vi.advanceTimersByTime(2000);
  step[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([
    'Uploading data: 1 of 40 blocks, 10.00 MiB of 40.00 MiB (25 %), 2.00 MiB/s, 15 s left',
    'Uploading data: 30 of 40 blocks, 30.00 MiB of 40.00 MiB (75 %), 3.00 MiB/s, 3 s left',
    'Uploading data: 40 blocks, 40.00 MiB in 12 s',
  ]);
});

test('a short step is never mentioned', () => {
  const lines: string[] = [];
  {
    using step = reportProgress(lineDisplay((line) => lines.push(line))).step('Quick');
    step.update({ done: 1 });
    vi.advanceTimersByTime(4999);
  }
  expect(lines).toEqual([]);
});

test('on a terminal one line is overwritten, at most four times a second, and makes room for messages', () => {
  const stream = new FakeStream({ isTTY: true, columns: 30 });
  const { written } = stream;
  const terminal = new Terminal(stream, {});
  const step = reportProgress(terminalDisplay(terminal)).step('Checking', 'objects');
  for (let done = 1; done <= 100; done += 1) {
    step.update({ done, total: 200 });
    vi.advanceTimersByTime(5);
  }
  expect(written).toEqual(['\r\u001B[KChecking: 50 of 200 objects (', '\r\u001B[KChecking: 100 of 200 objects ']);
  terminal.line('WARNING: look');
  step[Symbol.dispose]();
  expect(written.slice(2)).toEqual([
    '\r\u001B[KWARNING: look\nChecking: 100 of 200 objects ',
    '\r\u001B[K',
    'Checking: 100 objects in 1 s\n',
  ]);
});

test('a status line leaves out what does not fit, the count first, then the rate', () => {
  const step = {
    title: 'Uploading data',
    unit: 'blocks',
    elapsedMs: 0,
    done: 12,
    total: 40,
    bytesDone: MIB,
    bytesTotal: 4 * MIB,
    bytesPerSecond: MIB / 2,
    leftMs: 6000,
  };
  const full = 'Uploading data: 12 of 40 blocks, 1.00 MiB of 4.00 MiB (25 %), 512.00 KiB/s, 6 s left';
  expect(progressText(step, full.length)).toBe(full);
  expect(progressText(step, full.length - 1)).toBe('Uploading data: 1.00 MiB of 4.00 MiB (25 %), 512.00 KiB/s, 6 s left');
  expect(progressText(step, 60)).toBe('Uploading data: 1.00 MiB of 4.00 MiB (25 %), 6 s left');
});

test('a terminal without a size has room for a whole line', () => {
  const stream = new FakeStream({ isTTY: true, columns: 0 });
  const step = reportProgress(terminalDisplay(new Terminal(stream, {}))).step('Checking', 'objects');
  vi.advanceTimersByTime(250);
  step[Symbol.dispose]();
  expect(stream.written[0]).toBe('\r\u001B[KChecking...');
});

test('rates are those of the last ten seconds', () => {
  const lines: string[] = [];
  const step = reportProgress(lineDisplay((line) => lines.push(line))).step('Reading', 'objects');
  for (const done of [1000, 2000, 2010, 2020, 2030]) {
    step.update({ done });
    vi.advanceTimersByTime(5000);
  }
  expect(lines.at(-1)).toBe('Reading: 2030 objects, 2 objects/s');
});

test('steps that run side by side are all shown', () => {
  const lines: string[] = [];
  const reporter = reportProgress(lineDisplay((line) => lines.push(line)));
  using _first = reporter.step('First');
  using second = reporter.step('Second', 'objects');
  second.update({ done: 5 });
  vi.advanceTimersByTime(5000);
  expect(lines).toEqual(['First...', 'Second: 5 objects, 1 objects/s']);
});

test('as JSON, each report is an object with plain figures', () => {
  const lines: string[] = [];
  const step = reportProgress(jsonDisplay((line) => lines.push(line))).step('Uploading data', 'blocks');
  step.update({ done: 2, total: 4 });
  vi.advanceTimersByTime(1000);
  step[Symbol.dispose]();
  const common = { title: 'Uploading data', unit: 'blocks', elapsedMs: 1000, done: 2, total: 4, itemsPerSecond: 2, leftMs: 1000 };
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { progress: { ...common, finished: false } },
    { progress: { ...common, finished: true } },
  ]);
});

test('a step without figures is only named, and one without a total has no share', () => {
  expect(progressText({ title: 'Mounting', unit: 'items', elapsedMs: 0 })).toBe('Mounting...');
  expect(progressText({ title: 'Listing', unit: 'objects', elapsedMs: 0, done: 7 })).toBe('Listing: 7 objects');
  expect(progressText({ title: 'Listing', unit: 'objects', elapsedMs: 0, done: 0, total: 0 })).toBe('Listing: 0 of 0 objects');
});
