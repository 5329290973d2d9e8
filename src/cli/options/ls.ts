/** s3ql ls: arguments and options. */
import { LOCATION_HELP, type ReadingOptions, readingOptions } from './location.ts';
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { list } from './values.ts';

interface LsArguments {
  readonly locations: readonly string[];
}

interface LsOwnOptions {
  readonly long: boolean;
  readonly all: boolean;
  readonly recursive: boolean;
  readonly directory: boolean;
}

export const lsSpec: CommandSpec<LsArguments, LsOwnOptions & ReadingOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'ls',
  program: 's3ql ls',
  summary: 'List files without a mount',
  description: [
    'Lists directories of a file system that is not mounted, by name. Directories of more than 100,000 entries are listed in the order in which they are stored.',
    LOCATION_HELP,
    'Reads what the store has: nothing is changed, and the file system need not be mounted. While it is mounted on another machine the state of the last upload of its metadata is shown, with a warning; on this machine use the mount.',
  ],
  arguments: {
    locations: { name: 'storage-url:path', description: 'What to list', parse: list, variadic: true },
  },
  options: {
    long: { short: '-l', long: '--long', description: 'Show type and mode, links, owner, group, size in bytes and time of modification' },
    all: { short: '-a', long: '--all', description: 'List names that begin with a dot, too' },
    recursive: { short: '-R', long: '--recursive', description: 'List subdirectories, too' },
    directory: { short: '-d', long: '--directory', description: 'List directories themselves, not what is in them' },
    ...readingOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
