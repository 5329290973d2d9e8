import { expect, test } from 'vitest';
import { UserError } from '../util/errors.ts';
import { backendFactoryFor, parseBackendOptions } from './open-backend.ts';

/** The exit code of the UserError that the function must throw. */
function exitCodeOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.exitCode;
    throw error;
  }
  throw new Error('did not throw');
}

test('backend options are flags and values, the last of equal names wins', () => {
  expect(parseBackendOptions(' no-ssl, tcp-timeout=20 ,a=b=c,,tcp-timeout=30')).toEqual({ 'no-ssl': true, 'tcp-timeout': '30', a: 'b=c' });
  expect(parseBackendOptions('')).toEqual({});
});

test('a backend option without a name is refused with exit code 2', () => {
  expect(exitCodeOf(() => parseBackendOptions('=x'))).toBe(2);
});

test('an unknown scheme and a path without one are refused with exit code 2', () => {
  expect(exitCodeOf(() => backendFactoryFor('gopher://host/'))).toBe(2);
  expect(exitCodeOf(() => backendFactoryFor('/srv/backup'))).toBe(2);
  expect(exitCodeOf(() => backendFactoryFor('__proto__://x'))).toBe(2);
});
