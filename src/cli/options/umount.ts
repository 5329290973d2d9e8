/** umount.s3ql: arguments and options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { path } from './values.ts';

export interface MountpointArgument {
  /** Absolute. */
  readonly mountpoint: string;
}

interface UmountOwnOptions {
  readonly lazy: boolean;
}

export interface UmountOptions extends MountpointArgument, LogOptions, OutputOptions, UmountOwnOptions {}

export const umountSpec: CommandSpec<MountpointArgument, UmountOwnOptions & LogOptions & OutputOptions> = {
  name: 'umount',
  program: 'umount.s3ql',
  summary: 'Unmount a file system and wait until everything is stored',
  description: [
    'Uploads what is not in the store yet, unmounts the file system and waits until the process that served it has ended. Only then is everything in the store.',
    'A file system in use is not unmounted; who uses it is listed. A mount whose process has died ("Transport endpoint is not connected") is taken away.',
  ],
  arguments: { mountpoint: { name: 'mountpoint', description: 'Where the file system is mounted', parse: path, completes: 'directory' } },
  options: {
    lazy: {
      short: '-z',
      long: '--lazy',
      description: 'Detach at once, even if it is in use; upload goes on, unwatched, until the last user is gone',
    },
    ...logOptions('none'),
    ...outputOptions,
  },
};
