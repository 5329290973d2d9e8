/** mkfs.s3ql: arguments and options. */
import type { CommandSpec } from './option.ts';
import { outputOptions, storageOptions, type OutputOptions, type StorageOptions, type StorageUrlArgument } from './shared.ts';
import { kibibytes, text } from './values.ts';

const LARGEST_BLOCK_KIB = 256 * 1024;

interface MkfsOwnOptions {
  readonly label: string;
  readonly dataBlockSizeBytes: number;
  readonly metadataBlockSizeBytes: number;
  readonly plain: boolean;
}

export interface MkfsOptions extends StorageUrlArgument, StorageOptions, OutputOptions, MkfsOwnOptions {}

export const mkfsSpec: CommandSpec<StorageUrlArgument, MkfsOwnOptions & StorageOptions & OutputOptions> = {
  name: 'mkfs',
  program: 'mkfs.s3ql',
  summary: 'Make a file system',
  description: [
    'Makes an empty file system at the storage URL. If one is there already, nothing is changed.',
    'Unless --plain is given everything is encrypted with a random master key. That key is stored under a passphrase that is asked for twice on the terminal, or read as one line from standard input if that is no terminal. The master key is printed: keep it in a safe place, it is the only way in if the passphrase, or the object that holds the wrapped key, is lost.',
  ],
  arguments: { storageUrl: { name: 'storage-url', description: 'Where the file system is to live', parse: text } },
  options: {
    label: {
      short: '-L',
      long: '--label',
      value: 'name',
      parse: text,
      initial: '',
      fallback: 'empty',
      description: 'Name of the file system',
    },
    dataBlockSizeBytes: {
      long: '--data-block-size',
      value: 'KiB',
      parse: kibibytes(1, LARGEST_BLOCK_KIB),
      initial: 1024 * 1024,
      fallback: '1024',
      description: 'Largest size of a block of file data, the unit of storage and de-duplication; can never be changed',
    },
    metadataBlockSizeBytes: {
      long: '--metadata-block-size',
      value: 'KiB',
      parse: kibibytes(1, LARGEST_BLOCK_KIB),
      initial: 64 * 1024,
      fallback: '64',
      description: 'Size of the pieces in which the metadata is stored; can never be changed',
    },
    plain: { long: '--plain', description: 'Do not encrypt' },
    ...storageOptions,
    ...outputOptions,
  },
};
