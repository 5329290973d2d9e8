/** `s3ql backup`: arguments and options. */
import { keepOptions, parseAges, type KeepOptions } from './expire.ts';
import { InvalidValueError, type CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { list, path, text } from './values.ts';

interface BackupArguments {
  /** As rsync takes it. */
  readonly source: string;
  readonly directory: string;
}

interface BackupOwnOptions extends KeepOptions {
  readonly exclude: readonly string[];
  readonly excludeFrom: readonly string[];
  readonly rsyncOption: readonly string[];
  readonly crossFileSystems: boolean;
  readonly writable: boolean;
  readonly keepGoing: boolean;
  /** Boundaries of ages, ascending; empty: not by ages. */
  readonly expire: readonly number[];
}

export interface BackupOptions extends BackupArguments, BackupOwnOptions, LogOptions, OutputOptions {}

export const backupSpec: CommandSpec<BackupArguments, BackupOwnOptions & LogOptions & OutputOptions> = {
  name: 'backup',
  program: 's3ql backup',
  summary: 'Back up a directory into a mounted file system',
  description: [
    'Copies the last backup by reference, which takes little time and no space, lets rsync bring the copy up to date, gives it the date as its name, as in 2026-11-22_21:05:00, and makes it immutable. If asked to, it then removes backups that are not needed any more, as "s3ql expire" does.',
    'A backup that was interrupted is gone on with by the next run; until it is finished it has no date. Two runs at once into the same directory are refused. The path of the new backup is printed.',
    'rsync is called with -aHAXx --modify-window=-1 --numeric-ids --delete-during --delete-excluded --partial.',
  ],
  arguments: {
    source: {
      name: 'source',
      description: 'What to back up, as rsync takes it: a directory (with a slash at the end: what is in it), or host:directory',
      parse: source,
      completes: 'directory',
    },
    directory: {
      name: 'mountpoint',
      description: 'Where to keep the backups: a mountpoint of S3QL, or a directory below',
      parse: path,
      completes: 'directory',
    },
  },
  options: {
    exclude: {
      long: '--exclude',
      value: 'pattern',
      parse: list,
      initial: [],
      repeatable: true,
      description: 'Leave out what matches, as rsync understands it',
    },
    excludeFrom: {
      long: '--exclude-from',
      value: 'file',
      parse: list,
      initial: [],
      repeatable: true,
      completes: 'file',
      description: 'Leave out what matches a pattern in this file',
    },
    rsyncOption: {
      long: '--rsync-option',
      value: 'option',
      parse: list,
      initial: [],
      repeatable: true,
      description: 'Give rsync this option as well, as in --rsync-option=--bwlimit=2000',
    },
    crossFileSystems: { long: '--cross-file-systems', description: 'Also copy what is mounted below the source' },
    writable: { long: '--writable', description: 'Leave the backup writable instead of making it immutable' },
    keepGoing: {
      long: '--keep-going',
      description: 'Finish the backup although some files could not be read, and exit with 1',
    },
    expire: {
      long: '--expire',
      value: 'ages',
      parse: (value) => parseAges(value),
      initial: [],
      fallback: 'nothing is removed',
      description: 'Afterwards keep backups of these ranges of ages, as in "1 7 14 31", and remove the others: see s3ql expire',
    },
    ...keepOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};

function source(value: string): string {
  if (value === '') throw new InvalidValueError('expected a path');
  return text(value);
}
