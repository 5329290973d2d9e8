/** s3qlctrl: arguments and options. */
import { type CommandSpec, InvalidValueError } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import type { MountpointArgument } from './umount.ts';
import { list, path } from './values.ts';

const CONTROL_ACTIONS = ['flushcache', 'dropcache', 'backup-metadata', 'cachesize', 'upload-limit', 'download-limit', 'log'] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

interface CtrlArguments extends MountpointArgument {
  readonly action: ControlAction;
  /** What the action takes, as given. */
  readonly values: readonly string[];
}

export const ctrlSpec: CommandSpec<CtrlArguments, LogOptions & OutputOptions> = {
  name: 'ctrl',
  program: 's3qlctrl',
  summary: 'Control a mounted file system',
  description: [
    'flushcache: upload everything in the cache that is not in the store yet, and wait for that.',
    'dropcache: the same, then empty the cache.',
    'backup-metadata: upload the metadata, and wait for that (mounts of S3QL itself only start it).',
    'cachesize: change the largest size of the cache, to a number of KiB.',
    'upload-limit, download-limit: from now on send, or receive, at most so many bytes per second, written as for the options of mount.s3ql of these names; "unlimited" takes a limit away.',
    'log: change which messages the mount logs: those of level debug, info or warn and above. With debug, modules may follow whose messages are wanted; else it is all of them.',
  ],
  arguments: {
    action: { name: 'action', description: `One of ${CONTROL_ACTIONS.join(', ')}`, parse: controlAction, choices: CONTROL_ACTIONS },
    mountpoint: { name: 'mountpoint', description: 'Any directory in a mounted file system', parse: path, completes: 'directory' },
    values: {
      name: 'value',
      description: 'For cachesize the size in KiB; for upload-limit and download-limit the rate; for log the level, then modules',
      parse: list,
      variadic: true,
      optional: true,
    },
  },
  options: { ...logOptions('none'), ...outputOptions },
};

function controlAction(value: string): ControlAction {
  const action = CONTROL_ACTIONS.find((known) => known === value);
  if (action === undefined) throw new InvalidValueError(`expected one of ${CONTROL_ACTIONS.join(', ')}`);
  return action;
}
