import { expect, test } from 'vitest';
import { formatCompressionSpec, parseCompressionSpec } from './compression-spec.ts';

test.for([
  ['lzma-6', 'lzma', 6],
  ['lzma', 'lzma', 6],
  ['zlib-0', 'zlib', 0],
  ['bzip2-9', 'bzip2', 9],
  ['none', 'none', 6],
] as const)('%s is read', ([text, algorithm, level]) => {
  expect(parseCompressionSpec(text)).toEqual({ algorithm, level });
});

test.for(['', 'zstd', 'LZMA', 'lzma-', 'lzma-10', 'zlib--1', 'bzip2-0', 'zlib 6', 'zlib-6\n', '__proto__'])(
  '%j is refused with exit code 2',
  (text) => {
    expect(() => parseCompressionSpec(text)).toThrow(expect.objectContaining({ name: 'UserError', exitCode: 2 }));
  },
);

test('what is formatted reads back', () => {
  expect(['lzma-6', 'none', 'bzip2-1'].map((text) => formatCompressionSpec(parseCompressionSpec(text)))).toEqual([
    'lzma-6',
    'none',
    'bzip2-1',
  ]);
});
