import { expect, test } from 'vitest';
import { guessBackupAges, updateBackupAges } from './backup-ages.ts';
import { backupNameAt, isBackupName, nextBackupName } from './backup-name.ts';

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

test('a backup is named after the time at which it begins; if there is one of this second, it begins in the next', async () => {
  const { signal } = new AbortController();
  expect(backupNameAt(new Date(2026, 0, 1, 3, 0, 0))).toBe(day(1));
  const taken = new Set([backupNameAt(new Date())]);
  const name = await nextBackupName(taken, signal);
  expect([...taken, name, backupNameAt(new Date())].sort()).toEqual([...taken, name, backupNameAt(new Date())]);
  expect(taken).not.toContain(name);
});
