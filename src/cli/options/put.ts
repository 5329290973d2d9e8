/** s3ql put: arguments and options. */
import type { CompressionSpec } from '../../envelope/compression-spec.ts';
import { LOCATION_HELP, type LocationOptions, locationOptions } from './location.ts';
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { compression, list } from './values.ts';

interface PutArguments {
  readonly paths: readonly string[];
}

interface PutOwnOptions {
  /** Undefined: as authinfo2 says, else the default. */
  readonly compress: CompressionSpec | undefined;
}

export const putSpec: CommandSpec<PutArguments, PutOwnOptions & LocationOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'put',
  program: 's3ql put',
  summary: 'Copy files in without a mount',
  description: [
    'Copies files and directories with all that is in them from this machine to a file system that is not mounted, as "cp -a" would: with hard links, symbolic links, holes, modes, owners, times and extended attributes. Into the target if that is a directory, else to that name.',
    'While it runs the file system counts as mounted here, and when it ends everything is in the store. Ctrl-C ends the copying; what was copied so far is stored. A file appears when it is complete, in the place of what had its name. What goes wrong with one file is reported; the others are copied, and the exit code is 1 in the end.',
    LOCATION_HELP,
  ],
  arguments: {
    paths: {
      name: 'path',
      description: 'What to copy, and behind it where to, as storage-url:path',
      parse: list,
      variadic: true,
      completes: 'file',
    },
  },
  options: {
    compress: {
      long: '--compress',
      value: 'algorithm-level',
      parse: compression,
      initial: undefined,
      fallback: 'as in the authfile, else lzma-6',
      choices: ['lzma-6', 'bzip2-6', 'zlib-6', 'none'],
      description: 'How new data is compressed: lzma, bzip2, zlib or none, with a level from 0 (fast) to 9 (small)',
    },
    ...locationOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
