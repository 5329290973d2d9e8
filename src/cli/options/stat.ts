/** s3qlstat: arguments and options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import type { MountpointArgument } from './umount.ts';
import { path } from './values.ts';

interface StatOwnOptions {
  readonly raw: boolean;
}

export interface StatOptions extends MountpointArgument, LogOptions, OutputOptions, StatOwnOptions {}

export const statSpec: CommandSpec<MountpointArgument, StatOwnOptions & LogOptions & OutputOptions> = {
  name: 'stat',
  program: 's3qlstat',
  summary: 'Show figures of a mounted file system',
  description: [
    'Prints how many files there are, how much data they hold before and after de-duplication and compression, and what is in the cache.',
    'With --json also what the requests to the store have come to since the mount began: for each kind of operation how many there were, how many failed, how much data they moved, and how long they took (in sum, and the longest one), and how many were tried again.',
  ],
  arguments: {
    mountpoint: { name: 'mountpoint', description: 'Any path in a mounted file system', parse: path, completes: 'directory' },
  },
  options: {
    raw: { long: '--raw', description: 'Print sizes in bytes instead of KiB, MiB, GiB, ...' },
    ...logOptions('none'),
    ...outputOptions,
  },
};
