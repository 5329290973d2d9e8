/**
 * Names of backups: the local time at which they were begun, as in `2026-11-22_21:05:00`. Sorted as text they are sorted by time. Nothing
 * here asks in which time zone a name was made.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '../util/errors.ts';
import { directoryProblem } from './directory-problem.ts';

/** A name that `isBackupName` accepts. */
export type BackupName = string;

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)_(\d\d):(\d\d):(\d\d)$/;
const SECOND_MS = 1000;

export function isBackupName(name: string): boolean {
  return timeOfBackupName(name) !== undefined;
}

/** The time a name says, as if it were UTC, in milliseconds: good for differences. Undefined for names that are none. */
export function timeOfBackupName(name: string): number | undefined {
  const [year, month, day, hour, minute, second] = (PATTERN.exec(name) ?? []).slice(1).map(Number);
  const timeMs = Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second);
  // The 31st of February is no day, and 25:00 no time.
  return new Date(timeMs).getTime() === timeMs && utcName(timeMs) === name ? timeMs : undefined;
}

/** The name of a backup begun at that time. */
export function backupNameAt(time: Date): BackupName {
  return utcName(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()));
}

/** The name of a backup that begins now: waits for the next second as long as there is one of this second, so that none is of the future. */
export async function nextBackupName(taken: ReadonlySet<string>, signal: AbortSignal): Promise<BackupName> {
  for (;;) {
    const now = new Date();
    const name = backupNameAt(now);
    if (!taken.has(name)) return name;
    await setTimeout(SECOND_MS - now.getMilliseconds(), undefined, { signal });
  }
}

/** The backups in a directory, oldest first. @throws UserError if it cannot be read */
export async function listBackups(directory: string): Promise<BackupName[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && isBackupName(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new UserError(directoryProblem(directory, error), 1, { cause: error });
  }
}

function utcName(timeMs: number): string {
  return Number.isNaN(timeMs) ? '' : new Date(timeMs).toISOString().slice(0, 19).replace('T', '_');
}
