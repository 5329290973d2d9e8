/** s3ql du: arguments and options. */
import { LOCATION_HELP, type ReadingOptions, readingOptions } from './location.ts';
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { integer, list } from './values.ts';

interface DuArguments {
  readonly locations: readonly string[];
}

interface DuOwnOptions {
  readonly maxDepth: number;
  readonly raw: boolean;
}

export const duSpec: CommandSpec<DuArguments, DuOwnOptions & ReadingOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'du',
  program: 's3ql du',
  summary: 'Show what directories take, without a mount',
  description: [
    'Shows for each directory, with all that is in it, four sizes: that of its files; after de-duplication; what that takes in the store, compressed; and, of the latter, what nothing outside of the directory refers to: what would be freed if it were removed.',
    LOCATION_HELP,
    'Reads what the store has: nothing is changed, and the file system need not be mounted. While it is mounted on another machine the state of the last upload of its metadata is shown, with a warning; on this machine use the mount.',
  ],
  arguments: {
    locations: { name: 'storage-url:path', description: 'Directories and files', parse: list, variadic: true },
  },
  options: {
    maxDepth: {
      long: '--max-depth',
      value: 'n',
      parse: integer(0),
      initial: 0,
      fallback: '0',
      description: 'Show subdirectories, too, down to this depth',
    },
    raw: { long: '--raw', description: 'Show sizes in bytes' },
    ...readingOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
