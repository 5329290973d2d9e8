import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { agesToKeep } from './cycle-policy.ts';

const boundaries = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 })
  .map((ages) => ages.sort((a, b) => a - b));

/** One more backup, then what is kept of all. */
function cycle(ages: readonly number[], limits: readonly number[]): number[] {
  return [...agesToKeep([0, ...ages.map((age) => age + 1)], limits)];
}

test('from the first cycle that can have it on, every range of ages always has a backup', () => {
  fc.assert(
    fc.property(boundaries, fc.integer({ min: 1, max: 100 }), (limits, cycles) => {
      let ages: number[] = [];
      for (let made = 1; made <= cycles; made += 1) {
        ages = cycle(ages, limits);
        expect(ages).toContain(0);
        const ranges = limits.map((end, index) => ({ start: limits[index - 1] ?? 0, end }));
        const possible = ranges.filter(({ start }) => made > start);
        expect(possible.filter(({ start, end }) => !ages.some((age) => age >= start && age < end))).toEqual([]);
      }
    }),
    { numRuns: 25 },
  );
});

test('what is kept is enough for the same decision again, and the newest is always among it', () => {
  const existing = fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(existing, boundaries, (ages, limits) => {
      const kept = agesToKeep(ages, limits);
      expect(kept).toContain(Math.min(...ages));
      expect([...kept].every((age) => ages.includes(age))).toBe(true);
      expect(agesToKeep([...kept], limits)).toEqual(kept);
    }),
  );
});

test('no more are kept than the ranges need', () => {
  let ages: number[] = [];
  let most = 0;
  for (let made = 0; made < 150; made += 1) {
    ages = cycle(ages, [1, 7, 14, 31, 90]);
    most = Math.max(most, ages.length);
  }
  expect(most).toBeLessThanOrEqual(10);
});

test('ages 1 3 7: what of the last ten backups is kept', () => {
  expect([...agesToKeep([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 7])]).toEqual([0, 1, 3]);
});
