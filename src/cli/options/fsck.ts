/** fsck.s3ql: arguments and options. */
import type { CommandSpec } from './option.ts';
import {
  logOptions,
  outputOptions,
  storageOptions,
  type LogOptions,
  type OutputOptions,
  type StorageOptions,
  type StorageUrlArgument,
} from './shared.ts';
import { text } from './values.ts';

interface FsckOwnOptions {
  readonly keepCache: boolean;
  readonly batch: boolean;
  readonly force: boolean;
  readonly forceRemote: boolean;
  readonly fast: boolean;
  readonly deleteOrphans: boolean;
}

export interface FsckOptions extends StorageUrlArgument, StorageOptions, LogOptions, OutputOptions, FsckOwnOptions {}

export const fsckSpec: CommandSpec<StorageUrlArgument, FsckOwnOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'fsck',
  program: 'fsck.s3ql',
  summary: 'Check a file system and repair it',
  description: [
    'Checks the metadata of the file system against itself and against the objects in the store, and repairs what is wrong. Files that are damaged, and what has no place any more, are moved to the directory lost+found. The file system must not be mounted.',
    'What a crashed mount left in the cache of this machine is stored first; mount.s3ql does that, too. Whether the contents of the objects are what they should be is for s3ql_verify to find out.',
    'Objects that nothing refers to are deleted, unless they are newer than the metadata: then they are kept and reported.',
    'A file system that is clean and was checked during the last 31 days is not checked again without --force. The exit code is 128 if anything was wrong, even if all of it could be repaired.',
  ],
  arguments: { storageUrl: { name: 'storage-url', description: 'Where the file system lives', parse: text } },
  options: {
    keepCache: { long: '--keep-cache', description: 'Keep cached data for the next mount on this machine' },
    batch: { long: '--batch', description: 'Ask no questions: end with exit code 41 where one would be asked' },
    force: { long: '--force', description: 'Check even if the file system is clean and was checked recently' },
    forceRemote: {
      long: '--force-remote',
      description: 'Use the metadata in the store even if that loses what another machine, or this one, has not stored yet',
    },
    fast: { long: '--fast', description: 'Do not download and verify the older generations of the metadata' },
    deleteOrphans: { long: '--delete-orphans', description: 'Delete also objects that are newer than the metadata' },
    ...storageOptions,
    ...logOptions('fsck.log in the cache directory'),
    ...outputOptions,
  },
};
