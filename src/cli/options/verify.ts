/** s3ql_verify: arguments and options. */
import { InvalidValueError, type CommandSpec } from './option.ts';
import {
  logOptions,
  outputOptions,
  storageOptions,
  type LogOptions,
  type OutputOptions,
  type StorageOptions,
  type StorageUrlArgument,
} from './shared.ts';
import { integer, path, text } from './values.ts';

interface VerifyOwnOptions {
  readonly data: boolean;
  readonly repair: boolean;
  readonly missingFile: string;
  readonly corruptedFile: string;
  readonly startWith: number;
  /** 0 to 1. */
  readonly sample: number;
}

export interface VerifyCommandOptions extends StorageUrlArgument, StorageOptions, LogOptions, OutputOptions, VerifyOwnOptions {}

export const verifySpec: CommandSpec<StorageUrlArgument, VerifyOwnOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'verify',
  program: 's3ql_verify',
  summary: 'Verify that the store has all data',
  description: [
    'Looks whether the store has every object of the file system; with --data each is read, decrypted and compared with what the metadata knows of it. The file system must not be mounted.',
    'Objects that are missing or damaged are listed in two files, and the exit code is 46, also if --repair could repair everything. Without --repair nothing is changed.',
  ],
  arguments: { storageUrl: { name: 'storage-url', description: 'Where the file system lives', parse: text } },
  options: {
    data: { long: '--data', description: 'Read the contents of the objects instead of only looking whether they are there' },
    repair: {
      long: '--repair',
      description:
        'Store again what the cache of this machine still holds (mount.s3ql --keep-cache); of the rest, move the files that lack something to lost+found',
    },
    missingFile: {
      long: '--missing-file',
      value: 'path',
      parse: path,
      initial: path('missing_objects.txt'),
      fallback: 'missing_objects.txt',
      completes: 'file',
      description: 'Where to list missing objects; a file that is not empty is not overwritten',
    },
    corruptedFile: {
      long: '--corrupted-file',
      value: 'path',
      parse: path,
      initial: path('corrupted_objects.txt'),
      fallback: 'corrupted_objects.txt',
      completes: 'file',
      description: 'Where to list damaged objects; a file that is not empty is not overwritten',
    },
    startWith: {
      long: '--start-with',
      value: 'n',
      parse: integer(0),
      initial: 0,
      fallback: '0',
      description: 'Skip this many objects: goes on where an interrupted run was',
    },
    sample: {
      long: '--sample',
      value: 'percentage',
      parse: percentage,
      initial: 1,
      fallback: '100%',
      description: 'Verify only this share of the objects, chosen at random',
    },
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};

/** `12.5%` as a fraction. */
function percentage(value: string): number {
  const number = /^\d+(\.\d+)?%?$/.test(value) ? Number(value.replace('%', '')) : Number.NaN;
  if (!(number > 0 && number <= 100)) throw new InvalidValueError('expected a percentage above 0 and up to 100');
  return number / 100;
}
