/** `s3ql expire`: arguments and options. */
import { InvalidValueError, type CommandSpec, type OptionTable } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { integer, path } from './values.ts';

interface ExpireArguments {
  /** Ascending; empty: by the calendar. */
  readonly ages: readonly number[];
}

/** What to keep by the calendar; 0: not by this. */
export interface KeepOptions {
  readonly keepLast: number;
  readonly keepDaily: number;
  readonly keepWeekly: number;
  readonly keepMonthly: number;
  readonly keepYearly: number;
}

interface ExpireOwnOptions extends KeepOptions {
  /** Undefined: the current one. */
  readonly directory: string | undefined;
  /** Undefined: in the directory. */
  readonly state: string | undefined;
  readonly dryRun: boolean;
  readonly proportionDelete: number;
  readonly reconstructState: boolean;
  readonly useS3qlrm: boolean;
}

export interface ExpireOptions extends ExpireArguments, ExpireOwnOptions, LogOptions, OutputOptions {}

export const STATE_FILE_NAME = '.expire_backups.dat';

/** More cycles than anybody lives through. */
const MAXIMUM_AGE = 100_000;
const MAXIMUM_KEPT = 100_000;
const parseAge = integer(1, MAXIMUM_AGE);

export const keepOptions: OptionTable<KeepOptions> = {
  keepLast: keepOption('last', 'backups, whenever they were made'),
  keepDaily: keepOption('daily', 'days that have backups, the last of each'),
  keepWeekly: keepOption('weekly', 'weeks (from Monday) that have backups, the last of each'),
  keepMonthly: keepOption('monthly', 'months that have backups, the last of each'),
  keepYearly: keepOption('yearly', 'years that have backups, the last of each'),
};

export const expireSpec: CommandSpec<ExpireArguments, ExpireOwnOptions & LogOptions & OutputOptions> = {
  name: 'expire',
  program: 's3ql expire',
  summary: 'Remove backups that are not needed any more',
  description: [
    'Works on the directories whose names are dates, as in 2026-11-22_21:05:00. The newest is never removed.',
    'Ages are boundaries of ranges, counted in backups: each new backup makes all others one cycle older. "s3ql expire 1 3 7 14 31" sees to it that there is always the newest one, one that is 1 or 2 cycles old, one of 3 to 6, one of 7 to 13 and one of 14 to 30, and removes what is needed for none of that, neither now nor after further backups. How old each backup is, is kept in a state file.',
    'Instead of ages the calendar can say what is kept: --keep-daily 7 --keep-monthly 12 keeps the last backup of each of the most recent 7 days and 12 months that have any. Backups with a date in the future are kept, and not counted.',
  ],
  arguments: {
    ages: {
      name: 'age',
      description: 'Where a range of ages ends and the next begins, in cycles, ascending',
      parse: ascending,
      variadic: true,
      optional: true,
    },
  },
  options: {
    ...keepOptions,
    directory: {
      long: '--directory',
      value: 'path',
      parse: path,
      initial: undefined,
      fallback: 'the current directory',
      completes: 'directory',
      description: 'Where the backups are',
    },
    state: {
      long: '--state',
      value: 'path',
      parse: path,
      initial: undefined,
      fallback: `${STATE_FILE_NAME} beside the backups`,
      completes: 'file',
      description: 'File that keeps the ages of the backups',
    },
    dryRun: { short: '-n', long: '--dry-run', description: 'Only say what would be kept and removed; change nothing' },
    proportionDelete: {
      short: '-p',
      long: '--proportion-delete',
      value: 'share',
      parse: proportion,
      initial: 0.5,
      fallback: '0.5',
      description: 'Rather than more than this share of all backups, remove nothing and fail',
    },
    reconstructState: {
      long: '--reconstruct-state',
      description: 'If there is no state file, guess the ages from the dates of the backups',
    },
    useS3qlrm: {
      long: '--use-s3qlrm',
      description: 'Remove as s3qlrm does: at once, immutable backups too; for backups in a mounted S3QL file system',
    },
    ...logOptions('none'),
    ...outputOptions,
  },
};

function keepOption(
  period: string,
  what: string,
): { long: string; value: string; parse: (text: string) => number; initial: number; description: string } {
  return {
    long: `--keep-${period}`,
    value: 'n',
    parse: integer(1, MAXIMUM_KEPT),
    initial: 0,
    description: `Keep the most recent n ${what}`,
  };
}

/** Ages separated by spaces or commas. */
export function parseAges(value: string): readonly number[] {
  return value
    .trim()
    .split(/[\s,]+/)
    .reduce<readonly number[]>((ages, age) => ascending(age, ages), []);
}

function ascending(value: string, previous: readonly number[] = []): readonly number[] {
  const age = parseAge(value);
  if (age <= (previous.at(-1) ?? 0)) throw new InvalidValueError('ages must ascend');
  return [...previous, age];
}

function proportion(value: string): number {
  const number = /^(\d+(\.\d*)?|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= 1)) throw new InvalidValueError('expected a number from 0 to 1');
  return number;
}
