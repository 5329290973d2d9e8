import { expect, test } from 'vitest';
import { encodePath, encodeQuery } from './percent-encoding.ts';

test('paths keep their slashes and nothing else that has a meaning', () => {
  expect(encodePath("a b/\u00fc(1)!'*~+&?#%")).toBe('a%20b/%C3%BC%281%29%21%27%2A~%2B%26%3F%23%25');
});

test('queries are encoded name by name', () => {
  expect(encodeQuery({ delete: '', prefix: 'a/b c' })).toBe('delete=&prefix=a%2Fb%20c');
  expect(encodeQuery({})).toBe('');
});
