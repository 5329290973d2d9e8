import { expect, test } from 'vitest';
import { globMatcher } from './glob.ts';

test.each([
  ['*.txt', 'a.txt', true],
  ['*.txt', 'a.TXT', false],
  ['*', '.hidden', true],
  ['?', 'ö', true],
  ['[a-c]*', 'bin', true],
  ['[!a-c]*', 'bin', false],
  ['a\\*', 'a*', true],
])('the pattern %s on %s: %s', (pattern, name, matches) => {
  expect(globMatcher(pattern)(Buffer.from(name))).toBe(matches);
});

test('case counts only if it is to', () => {
  expect(globMatcher('*.jpg', { ignoreCase: true })(Buffer.from('A.JPG'))).toBe(true);
});

test('names that are no UTF-8 match a pattern for everything or not, and do no harm', () => {
  expect(globMatcher('b')(Buffer.from([0xff, 0x00]))).toBe(false);
});
