/** What the options of a command ask to keep. */
import { EXIT_INVALID_COMMAND_LINE } from '../cli/exit-codes.ts';
import type { KeepOptions } from '../cli/options/expire.ts';
import { UserError } from '../util/errors.ts';
import type { ExpiryPolicy } from './expire-backups.ts';

/** Undefined if they ask for nothing; an error if for two things that exclude each other. @throws UserError (2) */
export function expiryPolicy(
  boundaries: readonly number[],
  { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly }: KeepOptions,
): ExpiryPolicy | undefined {
  const keep = { last: keepLast, daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly, yearly: keepYearly };
  const byCalendar = Object.values(keep).some((count) => count > 0);
  if (byCalendar && boundaries.length > 0) throw new UserError('ages and --keep options exclude each other', EXIT_INVALID_COMMAND_LINE);
  if (boundaries.length > 0) return { kind: 'cycles', boundaries };
  return byCalendar ? { kind: 'calendar', keep } : undefined;
}
