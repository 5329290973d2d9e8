import { expect, test } from 'vitest';
import { parseRateSchedule, rateAt, RateSyntaxError } from './rate-schedule.ts';

const at = (time: string): Date => new Date(`2026-03-02T${time}:00`);
const rate = (schedule: string, time: string): number => rateAt(parseRateSchedule(schedule), at(time));

test.for([
  ['4096', 4096],
  ['500K', 500 * 1024],
  ['2M', 2 * 1024 ** 2],
  ['1.5m', 1.5 * 1024 ** 2],
  ['1G', 1024 ** 3],
  ['unlimited', Infinity],
] as const)('%s holds at any time', ([text, expected]) => {
  expect(rate(text, '00:00')).toBe(expected);
  expect(rate(text, '23:59')).toBe(expected);
});

test('the first rule whose hours it is holds', () => {
  const schedule = '08:00-18:00=1M, 17:00-20:00=2M, otherwise=10M';
  const expected = { '07:59': 10, '08:00': 1, '17:30': 1, '18:00': 2, '19:59': 2, '20:00': 10 };
  for (const [time, mebibytes] of Object.entries(expected)) expect([time, rate(schedule, time)]).toEqual([time, mebibytes * 1024 ** 2]);
});

test('hours may go past midnight, and where no rule holds there is no limit', () => {
  const expected = { '21:59': Infinity, '22:00': 1024 ** 2, '23:59': 1024 ** 2, '00:00': 1024 ** 2, '05:59': 1024 ** 2, '06:00': Infinity };
  for (const [time, bytes] of Object.entries(expected)) expect([time, rate('22:00-6:00=1M', time)]).toEqual([time, bytes]);
  expect(rate('00:00-24:00=1M', '23:59')).toBe(1024 ** 2);
});

test.for([
  '',
  'fast',
  '2T',
  '-1',
  '0',
  '100',
  '1M,',
  '08:00=1M',
  '8-18=1M',
  '08:00-08:00=1M',
  '08:60-09:00=1M',
  '25:00-26:00=1M',
  'otherwise',
  'never=1M',
  '08:00-18:00=fast',
])('"%s" is refused', (text) => {
  expect(() => parseRateSchedule(text)).toThrow(RateSyntaxError);
});
