/** `s3ql benchmark`: arguments and options. */
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
import { path, seconds, text } from './values.ts';

interface BenchmarkArguments extends StorageUrlArgument {
  readonly file: string;
}

interface BenchmarkOwnOptions {
  /** How long each measurement may take. */
  readonly timeMs: number;
}

export interface BenchmarkOptions extends BenchmarkArguments, StorageOptions, LogOptions, OutputOptions, BenchmarkOwnOptions {}

export const benchmarkSpec: CommandSpec<BenchmarkArguments, BenchmarkOwnOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'benchmark',
  program: 's3ql benchmark',
  summary: 'Measure how fast mount, compression and store are, and recommend settings',
  description: [
    'Measures how fast programs can write into a mount (a small one is made in the cache directory for that), how fast each compression is with data of yours and how small it makes it, and how fast the store takes objects with more and more connections. Then says which compression, and how many threads and connections, give the most.',
    'There need not be a file system at the storage URL, and what is there is not touched: the objects of the measurement have names of their own, and are removed again.',
  ],
  arguments: {
    storageUrl: { name: 'storage-url', description: 'The store to measure', parse: text },
    file: { name: 'file', description: 'A file with data like that to be stored, of some MiB at least', parse: path, completes: 'file' },
  },
  options: {
    timeMs: {
      long: '--time',
      value: 'seconds',
      parse: seconds,
      initial: 2000,
      fallback: '2',
      description: 'How long each of the measurements, about 15, may take',
    },
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};
