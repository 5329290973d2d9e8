import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backupNameAt } from './backup-name.ts';
import { backupsToKeep, type CalendarPolicy } from './calendar-policy.ts';

const NOTHING: CalendarPolicy = { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

const names = fc
  .uniqueArray(fc.date({ min: new Date('2020-01-01'), max: new Date('2026-12-31'), noInvalidDate: true }), { maxLength: 40 })
  .map((dates) => [...new Set(dates.map(backupNameAt))]);
const count = fc.integer({ min: 0, max: 8 });
const policies = fc.record({ last: count, daily: count, weekly: count, monthly: count, yearly: count });

const kept = (backups: readonly string[], policy: Partial<CalendarPolicy>): string[] => [
  ...backupsToKeep(backups, { ...NOTHING, ...policy }).keys(),
];

test('each rule keeps the last backup of as many periods as asked for, if there are so many', () => {
  fc.assert(
    fc.property(names, count, (backups, limit) => {
      for (const [rule, length] of [
        ['daily', 10],
        ['monthly', 7],
        ['yearly', 4],
      ] as const) {
        const periods = [...new Set(backups.map((name) => name.slice(0, length)))].sort().toReversed().slice(0, limit);
        const expected = periods.map((period) =>
          backups
            .filter((name) => name.startsWith(period))
            .sort()
            .at(-1),
        );
        expect(kept(backups, { [rule]: limit })).toEqual(expected);
      }
    }),
  );
});

test('several rules keep what any of them keeps, and a backup more never costs one of an older period', () => {
  fc.assert(
    fc.property(names, policies, (backups, policy) => {
      const all = kept(backups, policy);
      const single = Object.entries(policy).flatMap(([rule, limit]) => kept(backups, { [rule]: limit }));
      expect(all.sort()).toEqual([...new Set(single)].sort());
      expect(kept(all, policy).sort()).toEqual(all);
    }),
  );
});

test('weeks go from Monday to Sunday, across the turn of the year', () => {
  const backups = ['2024-12-29_12:00:00', '2024-12-30_12:00:00', '2025-01-05_12:00:00', '2025-01-06_12:00:00'];
  expect(kept(backups, { weekly: 9 })).toEqual(['2025-01-06_12:00:00', '2025-01-05_12:00:00', '2024-12-29_12:00:00']);
});
