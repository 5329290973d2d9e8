import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDirectories } from './make-directories.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-directories-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a directory is made with all above it, and may exist', () => {
  const path = join(directory, 'a', 'b', 'c');
  makeDirectories(path, 0o700);
  makeDirectories(path, 0o755);
  expect([path, join(directory, 'a')].map((made) => statSync(made).mode & 0o777)).toEqual([0o700, 0o700]);
});

test('a file in the way is an error', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => makeDirectories(join(directory, 'file'), 0o700)).toThrow('EEXIST');
  expect(() => makeDirectories(join(directory, 'file', 'a', 'b'), 0o700)).toThrow('ENOTDIR');
});

test('where nothing can be made is an error, and not tried for ever', () => {
  expect(() => makeDirectories('/proc/s3ql/cache', 0o700)).toThrow('ENOENT');
});
