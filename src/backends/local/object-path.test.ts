import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOfPath, mayHoldPrefix, objectPath } from './object-path.ts';

test.for([
  ['s3ql_params', 's3ql_params'],
  ['s3ql_metadata_000000000000_006b031093', 's3ql_metadata_000000000000_006b031093'],
  ['s3ql_data_1', 's3ql_data_/s3ql_data_1'],
  ['s3ql_data_42', 's3ql_data_/s3ql_data_42'],
  ['s3ql_data_123', 's3ql_data_/s3ql_data_123'],
  ['s3ql_data_1234', 's3ql_data_/123/s3ql_data_1234'],
  ['s3ql_data_123456', 's3ql_data_/123/s3ql_data_123456'],
  ['s3ql_data_1234567', 's3ql_data_/123/123456/s3ql_data_1234567'],
  ['a=b/c#d', 'a=3Db=2Fc=23d'],
] as const)('%s lies at %s', ([key, path]) => {
  expect(objectPath(key)).toBe(path);
  expect(keyOfPath(path)).toBe(key);
});

test.for(['', '.', '..', 'a\0b', 'x'.repeat(221), 'é'.repeat(111), '\ud800'])('%j cannot be a key', (key) => {
  expect(() => objectPath(key)).toThrow(RangeError);
});

test('a path leads back to its key, whatever that is, and never out of the store', () => {
  const part = fc.constantFrom('s3ql_data_', '..', '/', '=', '=2F', '#', '1', '123', 'a', 'é', '.');
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) => parts.join('')),
      (key) => {
        fc.pre(key !== '.' && key !== '..');
        const path = objectPath(key);
        expect(keyOfPath(path)).toBe(key);
        expect(path.split('/')).not.toContain('..');
      },
    ),
  );
});

test.for([
  's3ql_data_42',
  's3ql_data_/123/s3ql_data_42',
  's3ql_data_/s3ql_data_1234',
  'x#1-2.tmp',
  's3ql_data_/s3ql_data_1#1-2.tmp',
  'a=2fb',
  'sub/x',
])('%s is no place for an object', (path) => {
  expect(keyOfPath(path)).toBeUndefined();
});

test('a listing enters only directories that may hold its keys', () => {
  const entered = (prefix: string): string[] =>
    ['s3ql_data_', 's3ql_data_/123', 's3ql_data_/123/123456', 's3ql_data_/124', 'lost+found'].filter((path) => mayHoldPrefix(path, prefix));
  expect(entered('')).toHaveLength(4);
  expect(entered('s3ql_')).toHaveLength(4);
  expect(entered('s3ql_p')).toEqual([]);
  expect(entered('s3ql_data_123')).toEqual(['s3ql_data_', 's3ql_data_/123', 's3ql_data_/123/123456']);
  expect(entered('s3ql_data_12345678')).toEqual(['s3ql_data_', 's3ql_data_/123', 's3ql_data_/123/123456']);
  expect(entered('s3ql_data_1244')).toEqual(['s3ql_data_', 's3ql_data_/124']);
});
