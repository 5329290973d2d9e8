import { expect, test } from 'vitest';
import { errorText } from './error-text.ts';

test('stacks of the error and its causes are shown, other properties are not', () => {
  const cause = Object.assign(new Error('connection refused'), { request: { headers: { authorization: 'secret' } } });
  const text = errorText(new TypeError('upload failed', { cause }));
  expect(text).toMatch(/^TypeError: upload failed\n {4}at [^]*\ncaused by Error: connection refused\n {4}at /);
  expect(text).not.toContain('secret');
});

test('all errors of a group are shown', () => {
  const text = errorText(new AggregateError([new Error('first'), 'second'], 'both failed'));
  expect(text).toMatch(/^AggregateError: both failed\n[^]*one of: Error: first\n[^]*one of: second$/);
});

test('a chain of causes that never ends is cut off', () => {
  const error = new Error('loop');
  error.cause = error;
  expect(errorText(error).match(/Error: loop/g)?.length).toBe(8);
});
