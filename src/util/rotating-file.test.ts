import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RotatingFile } from './rotating-file.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'rotating-file-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

test('a file that would grow too large is set aside, and only so many old ones are kept', () => {
  using file = new RotatingFile(join(directory, 'log'), { maximumSizeBytes: 10, oldFileCount: 2 });
  for (const line of ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee', 'ffff', 'gggg']) file.write(line);
  expect(readdirSync(directory).sort()).toEqual(['log', 'log.1', 'log.2']);
  expect([read('log'), read('log.1'), read('log.2')]).toEqual(['gggg\n', 'eeee\nffff\n', 'cccc\ndddd\n']);
});

test('a line larger than the limit is written whole, to a file of its own', () => {
  using file = new RotatingFile(join(directory, 'log'), { maximumSizeBytes: 10 });
  file.write('a line of more than ten bytes');
  file.write('b');
  expect([read('log'), read('log.1')]).toEqual(['b\n', 'a line of more than ten bytes\n']);
});

test('an existing file is continued, and only its owner may read a new one', () => {
  for (const line of ['one', 'two']) {
    using file = new RotatingFile(join(directory, 'log'));
    file.write(line);
  }
  expect(read('log')).toBe('one\ntwo\n');
  expect(statSync(join(directory, 'log')).mode & 0o777).toBe(0o600);
});

test('two writers of one file keep all lines when one of them sets it aside', () => {
  const options = { maximumSizeBytes: 20 };
  using first = new RotatingFile(join(directory, 'log'), options);
  using second = new RotatingFile(join(directory, 'log'), options);
  for (let index = 0; index < 6; index += 1) (index % 2 === 0 ? first : second).write(`line ${index}`);
  expect(read('log.2') + read('log.1') + read('log')).toBe('line 0\nline 1\nline 2\nline 3\nline 4\nline 5\n');
});

test('a file that was moved away is begun anew', () => {
  using file = new RotatingFile(join(directory, 'log'));
  file.write('before');
  renameSync(join(directory, 'log'), join(directory, 'moved'));
  file.write('after');
  expect([read('moved'), read('log')]).toEqual(['before\n', 'after\n']);
});

test('lines that cannot be written are counted, and the count is written when it is possible again', () => {
  using file = new RotatingFile(join(directory, 'log'));
  renameSync(directory, `${directory}-away`);
  try {
    file.write('lost');
    file.write('lost, too');
  } finally {
    renameSync(`${directory}-away`, directory);
  }
  file.write('kept');
  expect(read('log')).toBe('(2 lines could not be written)\nkept\n');
});

test('a path that cannot be opened is an error at once', () => {
  expect(() => new RotatingFile(join(directory, 'missing', 'log'))).toThrow('ENOENT');
});
