import { expect, test } from 'vitest';
import { FsError, UserError } from './errors.ts';

test('an FsError carries the Linux errno of its code', () => {
  expect(new FsError('ENOENT')).toMatchObject({ errno: 2, code: 'ENOENT', message: 'ENOENT' });
});

test('a UserError exits with 1 unless told otherwise', () => {
  expect([new UserError('no').exitCode, new UserError('no', 17).exitCode]).toEqual([1, 17]);
});
