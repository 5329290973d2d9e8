/** `s3ql remove-objects`: arguments and options. */
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
import { path, text } from './values.ts';

interface RemoveObjectsArguments extends StorageUrlArgument {
  readonly file: string;
}

interface RemoveObjectsOwnOptions {
  readonly dryRun: boolean;
  readonly batch: boolean;
}

export interface RemoveObjectsOptions extends RemoveObjectsArguments, StorageOptions, LogOptions, OutputOptions, RemoveObjectsOwnOptions {}

export const removeObjectsSpec: CommandSpec<RemoveObjectsArguments, RemoveObjectsOwnOptions & StorageOptions & LogOptions & OutputOptions> =
  {
    name: 'remove-objects',
    program: 's3ql remove-objects',
    summary: 'Remove the objects that a list names, for instance the damaged ones',
    description: [
      'Removes data objects from the store whose names stand in a file, one on each line, as s3ql_verify writes them. The file system must not be mounted.',
      'It lacks them from then on: run fsck.s3ql afterwards, which moves the files that were made of them to lost+found.',
    ],
    arguments: {
      storageUrl: { name: 'storage-url', description: 'Where the file system lives', parse: text },
      file: { name: 'file', description: 'Names of the objects', parse: path, completes: 'file' },
    },
    options: {
      dryRun: { short: '-n', long: '--dry-run', description: 'Only say which of the objects there are; change nothing' },
      batch: { long: '--batch', description: 'Remove without asking' },
      ...storageOptions,
      ...logOptions('none'),
      ...outputOptions,
    },
  };
