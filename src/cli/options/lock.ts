/** s3qllock: arguments and options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { paths } from './values.ts';

interface LockArguments {
  /** Absolute. */
  readonly directories: readonly string[];
}

export const lockSpec: CommandSpec<LockArguments, LogOptions & OutputOptions> = {
  name: 'lock',
  program: 's3qllock',
  summary: 'Make directory trees immutable',
  description: [
    'Afterwards nothing in these directories can be changed, added, renamed or removed any more, by nobody. There is no way back, but s3qlrm can remove an immutable tree as a whole, and s3qlcp makes a copy that can be changed.',
  ],
  arguments: {
    directories: {
      name: 'directory',
      description: 'A directory in a mounted file system',
      parse: paths,
      variadic: true,
      completes: 'directory',
    },
  },
  options: { ...logOptions('none'), ...outputOptions },
};
