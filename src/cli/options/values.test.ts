import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { InvalidValueError } from './option.ts';
import { compression, integer, kibibytes, logTarget, path, seconds } from './values.ts';

test.each([
  ['lzma', { algorithm: 'lzma', level: 6 }],
  ['lzma-0', { algorithm: 'lzma', level: 0 }],
  ['bzip2-9', { algorithm: 'bzip2', level: 9 }],
  ['zlib-3', { algorithm: 'zlib', level: 3 }],
  ['none', { algorithm: 'none', level: 6 }],
])('compression %s is understood', (text, expected) => {
  expect(compression(text)).toEqual(expected);
});

test.each(['', 'LZMA', 'zstd', 'lzma-', 'lzma-10', 'bzip2-0', 'zlib-6-6', 'zlib--1'])('compression %j is refused', (text) => {
  expect(() => compression(text)).toThrow(InvalidValueError);
});

test.each(['', '-1', '+1', '1e3', '0x10', ' 1', '1.0', '9007199254740993', 'many'])('%j is not a whole number', (text) => {
  expect(() => integer(0)(text)).toThrow(InvalidValueError);
});

test('KiB become bytes, seconds become milliseconds', () => {
  expect([kibibytes(1)('3'), seconds('1.5'), seconds('0')]).toEqual([3072, 1500, 0]);
  expect(() => kibibytes(1)('0')).toThrow(InvalidValueError);
  expect(() => seconds('-1')).toThrow(InvalidValueError);
});

test('paths become absolute', () => {
  expect([path('a/../b'), path('~/c'), path('/d')]).toEqual([`${process.cwd()}/b`, `${homedir()}/c`, '/d']);
  expect(() => path('')).toThrow(InvalidValueError);
});

test('a log goes to a file unless it is none or syslog', () => {
  expect([logTarget('none'), logTarget('syslog'), logTarget('/var/log/x')]).toEqual([
    { kind: 'none' },
    { kind: 'syslog' },
    { kind: 'file', path: '/var/log/x' },
  ]);
});
