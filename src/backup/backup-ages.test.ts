import { expect, test } from 'vitest';
import { guessBackupAges, updateBackupAges } from './backup-ages.ts';
import { freeBackupName, isBackupName } from './backup-name.ts';

const day = (number: number): string => `2026-01-${String(number).padStart(2, '0')}_03:00:00`;

test('each new backup makes all others a cycle older, whatever its date', () => {
  const known = updateBackupAges(new Map(), [day(1), day(2), day(3)]);
  expect([...known.values()]).toEqual([2, 1, 0]);
  const later = updateBackupAges(known, [day(2), day(3), '1970-01-01_00:00:00']);
  expect(Object.fromEntries(later)).toEqual({ [day(2)]: 2, [day(3)]: 1, '1970-01-01_00:00:00': 0 });
  expect(updateBackupAges(later, [...later.keys()])).toEqual(later);
});

test('ages guessed from dates count usual distances, and gaps as many', () => {
  expect([...guessBackupAges([day(1), day(2), day(3), day(10), day(11)]).values()]).toEqual([0, 1, 8, 9, 10]);
  expect(guessBackupAges([])).toEqual(new Map());
});

test('only dates that exist are names of backups', () => {
  const names = ['2024-02-29_00:00:00', '2023-02-29_00:00:00', '2026-01-01_24:00:00', '2026-01-01', 'x2026-01-01_00:00:00', ''];
  expect(names.filter(isBackupName)).toEqual(['2024-02-29_00:00:00']);
});

test('a name that is taken is left to its owner', () => {
  const time = new Date(2026, 0, 1, 3, 0, 0);
  expect(freeBackupName(time, new Set())).toBe(day(1));
  expect(freeBackupName(time, new Set([day(1)]))).toBe('2026-01-01_03:00:01');
});
