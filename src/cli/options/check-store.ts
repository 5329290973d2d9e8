/** s3ql check-store: arguments and options. */
import type { CommandSpec, OptionTable } from './option.ts';
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

/** Nothing is cached, compressed or encrypted. */
type StoreOptions = Pick<StorageOptions, 'authfile' | 'backendOptions' | 'maxConnections'>;

const { authfile, backendOptions, maxConnections } = storageOptions;
const storeOptions: OptionTable<StoreOptions> = { authfile, backendOptions, maxConnections };

export const checkStoreSpec: CommandSpec<StorageUrlArgument, StoreOptions & LogOptions & OutputOptions> = {
  name: 'check-store',
  program: 's3ql check-store',
  summary: 'Find out what a store can do for S3QL, and how fast it is',
  description: [
    'Stores, reads, replaces, lists and deletes objects of its own at the storage URL, whether there is a file system or not: tests whether the store is consistent and can do what it says, and measures how fast it is. It tells what follows for a file system there; the exit code is 47 if S3QL must not rely on the store.',
    'Nothing else at the storage URL is touched. The objects are called check-store-*, about 60 MiB in all, and are removed in the end, also after Ctrl-C.',
  ],
  arguments: { storageUrl: { name: 'storage-url', description: 'Where the store is', parse: text } },
  options: { ...storeOptions, ...logOptions('none'), ...outputOptions },
};
