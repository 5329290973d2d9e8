/** s3ql get: arguments and options. */
import { LOCATION_HELP, type ReadingOptions, readingOptions } from './location.ts';
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { list } from './values.ts';

interface GetArguments {
  readonly paths: readonly string[];
}

export const getSpec: CommandSpec<GetArguments, ReadingOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'get',
  program: 's3ql get',
  summary: 'Copy files out without a mount',
  description: [
    'Copies files and directories with all that is in them from a file system that is not mounted to this machine, as "cp -a" would: with hard links, symbolic links, holes, modes, times and extended attributes; owners are kept if root does it. Into the target if that is a directory, else to that name.',
    'A file appears when it is complete, in the place of what had its name. What goes wrong with one file is reported; the others are copied, and the exit code is 1 in the end.',
    LOCATION_HELP,
    'Reads what the store has: nothing is changed, and the file system need not be mounted. While it is mounted on another machine the state of the last upload of its metadata is shown, with a warning; on this machine use the mount.',
  ],
  arguments: {
    paths: {
      name: 'path',
      description: 'What to copy, and behind it the directory or the new name on this machine',
      parse: list,
      variadic: true,
      completes: 'file',
    },
  },
  options: {
    ...readingOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
