/** `s3ql pcp`: arguments and options. */
import { InvalidValueError, type CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { integer, list } from './values.ts';

interface PcpArguments {
  /** One source or more, then the target, as rsync takes them. */
  readonly paths: readonly string[];
}

interface PcpOwnOptions {
  readonly archive: boolean;
  readonly processes: number;
}

export interface PcpOptions extends PcpArguments, PcpOwnOptions, LogOptions, OutputOptions {}

const DEFAULT_PROCESSES = 10;
const MAXIMUM_PROCESSES = 100;

export const pcpSpec: CommandSpec<PcpArguments, PcpOwnOptions & LogOptions & OutputOptions> = {
  name: 'pcp',
  program: 's3ql pcp',
  summary: 'Copy a directory tree with several processes at once, for instance out of a mount',
  description: [
    'Divides the files of the sources among several rsync processes. What comes from an object store waits more than it works, so this can be many times faster than one process.',
    'Sources are local; the target is a directory or host:directory. As with rsync, a slash at the end of a source means what is in it. Interrupted or failed copies can be run again: what is there already is not copied twice.',
    'With --archive hard links among the files of one source are kept. If a part fails the others are copied all the same, and the exit code is 1.',
  ],
  arguments: {
    paths: {
      name: 'path',
      description: 'What to copy, one source or more, and at last the directory to copy it to',
      parse: nonEmpty,
      variadic: true,
    },
  },
  options: {
    archive: {
      short: '-a',
      long: '--archive',
      description: 'Keep owners, modes, times, hard links, ACLs and extended attributes: rsync -aHAX',
    },
    processes: {
      long: '--processes',
      value: 'n',
      parse: integer(1, MAXIMUM_PROCESSES),
      initial: DEFAULT_PROCESSES,
      fallback: String(DEFAULT_PROCESSES),
      description: 'How many processes copy at once',
    },
    ...logOptions('none'),
    ...outputOptions,
  },
};

function nonEmpty(value: string, previous: readonly string[] = []): readonly string[] {
  if (value === '') throw new InvalidValueError('expected a path');
  return list(value, previous);
}
