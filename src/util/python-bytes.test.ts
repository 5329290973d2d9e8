import { expect, test } from 'vitest';
import { pythonBytesRepr } from './python-bytes.ts';

test.each([
  ['plain name', `b'plain name'`],
  [`it's`, String.raw`b'it\'s'`],
  ['a\\b', String.raw`b'a\\b'`],
  ['é\n\x7f"', String.raw`b'\xc3\xa9\x0a\x7f"'`],
])('%j is written as a literal of printable ASCII', (text, literal) => {
  expect(pythonBytesRepr(Buffer.from(text))).toBe(literal);
});
