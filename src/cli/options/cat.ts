/** s3ql cat: arguments and options. */
import { LOCATION_HELP, type ReadingOptions, readingOptions } from './location.ts';
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { integer, list } from './values.ts';

interface CatArguments {
  readonly locations: readonly string[];
}

interface CatOwnOptions {
  /** In bytes. */
  readonly offset: number;
  /** In bytes; undefined: to the end. */
  readonly length: number | undefined;
}

export const catSpec: CommandSpec<CatArguments, CatOwnOptions & ReadingOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'cat',
  program: 's3ql cat',
  summary: 'Print files without a mount',
  description: [
    'Writes the contents of files of a file system that is not mounted to standard output, or a part of them. Only the blocks that are needed are fetched.',
    LOCATION_HELP,
    'Reads what the store has: nothing is changed, and the file system need not be mounted. While it is mounted on another machine the state of the last upload of its metadata is shown, with a warning; on this machine use the mount.',
  ],
  arguments: {
    locations: { name: 'storage-url:path', description: 'Files to print', parse: list, variadic: true },
  },
  options: {
    offset: {
      long: '--offset',
      value: 'bytes',
      parse: integer(0),
      initial: 0,
      fallback: '0',
      description: 'Where to begin in each file',
    },
    length: {
      long: '--length',
      value: 'bytes',
      parse: integer(0),
      initial: undefined,
      fallback: 'to the end',
      description: 'How much to print of each file',
    },
    ...readingOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
