import { expect, test } from 'vitest';
import { median, percentile, summarize } from './statistics.ts';

test('the median of an even number of values lies between the middle two', () => {
  expect(median([4, 1, 3, 10])).toBe(3.5);
  expect(median([9, 1, 3])).toBe(3);
});

test('a percentile is the value that the share does not exceed', () => {
  const values = Array.from({ length: 1000 }, (_, index) => index + 1);
  expect(percentile(values, 0.999)).toBe(999);
  expect(percentile(values, 1)).toBe(1000);
  expect(percentile([5], 0.5)).toBe(5);
});

test('a summary has the median and the spread; of nothing there is none', () => {
  expect(summarize([2, 8, 5])).toEqual({ median: 5, smallest: 2, largest: 8, count: 3 });
  expect(() => summarize([])).toThrow(RangeError);
});
