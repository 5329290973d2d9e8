/**
 * Which backups to keep by the calendar: the last of each of the most recent N days, weeks, months, years. Only periods that have backups
 * count, so a long pause costs nothing. Nothing is measured from today's date, which may be wrong.
 */
import { type BackupName, timeOfBackupName } from './backup-name.ts';

export interface CalendarPolicy {
  /** How many of the newest, whenever they were made. */
  readonly last: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
}

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: weeks begin on Mondays. */
const DAYS_FROM_MONDAY_TO_EPOCH = 3;

const PERIODS: ReadonlyArray<readonly [keyof CalendarPolicy, (name: BackupName) => string | number]> = [
  ['last', (name) => name],
  ['daily', (name) => name.slice(0, 10)],
  ['weekly', weekOf],
  ['monthly', (name) => name.slice(0, 7)],
  ['yearly', (name) => name.slice(0, 4)],
];

/** Why each backup is kept that is, by name; those that are not in the result need not be kept. */
export function backupsToKeep(names: readonly BackupName[], policy: CalendarPolicy): Map<BackupName, Array<keyof CalendarPolicy>> {
  const newestFirst = [...names].sort().toReversed();
  const kept = new Map<BackupName, Array<keyof CalendarPolicy>>();
  for (const [rule, periodOf] of PERIODS) {
    const periods = new Set<string | number>();
    for (const name of newestFirst) {
      if (periods.size === policy[rule]) break;
      const period = periodOf(name);
      if (periods.has(period)) continue;
      periods.add(period);
      kept.set(name, [...(kept.get(name) ?? []), rule]);
    }
  }
  return kept;
}

function weekOf(name: BackupName): number {
  return Math.floor(((timeOfBackupName(name) ?? 0) / DAY_MS + DAYS_FROM_MONDAY_TO_EPOCH) / 7);
}
