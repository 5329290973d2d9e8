/** s3qlcp: arguments and options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { path } from './values.ts';

interface CpArguments {
  /** Both absolute. */
  readonly source: string;
  readonly target: string;
}

export const cpSpec: CommandSpec<CpArguments, LogOptions & OutputOptions> = {
  name: 'cp',
  program: 's3qlcp',
  summary: 'Copy a directory tree within a mounted file system, without copying data',
  description: [
    'Makes a copy of a directory with all that is in it, in the same file system. Both share the stored data until one of them is changed, so that the copy takes little time and no space: a snapshot.',
    'Owners, modes, times and extended attributes are copied. Hard links within the tree stay links, among the copies; files that also have names elsewhere become files of their own. What is immutable can be changed in the copy.',
    'A file that is changed meanwhile is copied as it was at one moment. If the copy fails, the target is removed again.',
  ],
  arguments: {
    source: { name: 'source', description: 'A directory in a mounted file system, no mountpoint', parse: path, completes: 'directory' },
    target: { name: 'target', description: 'The directory to make; it must not exist', parse: path, completes: 'directory' },
  },
  options: { ...logOptions('none'), ...outputOptions },
};
