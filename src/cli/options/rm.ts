/** s3qlrm: arguments and options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { paths } from './values.ts';

interface RmArguments {
  /** Absolute. */
  readonly paths: readonly string[];
}

export const rmSpec: CommandSpec<RmArguments, LogOptions & OutputOptions> = {
  name: 'rm',
  program: 's3qlrm',
  summary: 'Remove directory trees, even immutable ones',
  description: [
    'Removes directories with all that is in them, without asking. That is much faster than rm -r, and the only way to remove what s3qllock has made immutable.',
  ],
  arguments: {
    paths: {
      name: 'directory',
      description: 'A directory (or a file) in a mounted file system, no mountpoint',
      parse: paths,
      variadic: true,
      completes: 'directory',
    },
  },
  options: { ...logOptions('none'), ...outputOptions },
};
