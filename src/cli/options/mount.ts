/** mount.s3ql: arguments and options. */
import { DEFAULT_MAX_CACHE_ENTRIES } from '../../blocks/block-cache.ts';
import type { CompressionSpec } from '../../envelope/compression-spec.ts';
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
import type { MountpointArgument } from './umount.ts';
import { compression, integer, kibibytes, list, oneOf, path, seconds, text } from './values.ts';

/** What is used where neither the command line nor authinfo2 says how to compress. */
export const DEFAULT_COMPRESSION: CompressionSpec = { algorithm: 'lzma', level: 6 };

export type FsyncTarget = 'local' | 'remote';

interface MountOwnOptions {
  /** Undefined: as authinfo2 says, else DEFAULT_COMPRESSION. */
  readonly compress: CompressionSpec | undefined;
  /** Undefined: by the free space of the cache directory's disk. */
  readonly cacheSizeBytes: number | undefined;
  /** Undefined: DEFAULT_MAX_CACHE_ENTRIES. */
  readonly maxCacheEntries: number | undefined;
  readonly keepCache: boolean;
  readonly allowOther: boolean;
  readonly allowRoot: boolean;
  readonly dirtyBlockUploadDelayMs: number;
  readonly foreground: boolean;
  /** Undefined: the storage URL. */
  readonly fsName: string | undefined;
  readonly systemd: boolean;
  /** 0: only when unmounting or on request. */
  readonly metadataBackupIntervalMs: number;
  /** Where fsync makes changes durable before it returns. */
  readonly fsync: FsyncTarget;
  /** 0: as long as it takes. */
  readonly readTimeoutMs: number;
  /** How long a failing request to the store is tried again. */
  readonly storeTimeoutMs: number;
  /** When the cache is full and the store does not work: writers wait, or get an error. */
  readonly fullCache: 'wait' | 'fail';
  /** Mount although the store says that the file system is mounted elsewhere. */
  readonly takeOver: boolean;
  readonly nfs: boolean;
  /** Check everything, mount nothing (mount -f). */
  readonly fake: boolean;
  readonly verbose: boolean;
}

/** How mount(8) and fstab give options; parse-mount-options.ts turns them into the others. */
interface FstabOptions {
  readonly fstabOptions: readonly string[];
  readonly sloppy: boolean;
  readonly noMtab: boolean;
}

/** Mount flags of the kernel, as words of fstab; the last of a pair (dev, nodev) counts. */
export const KERNEL_MOUNT_FLAGS = [
  'dev',
  'nodev',
  'suid',
  'nosuid',
  'exec',
  'noexec',
  'atime',
  'noatime',
  'diratime',
  'nodiratime',
  'relatime',
  'norelatime',
  'strictatime',
  'nostrictatime',
  'lazytime',
  'nolazytime',
] as const;
export type KernelMountFlag = (typeof KERNEL_MOUNT_FLAGS)[number];

export interface ParsedMountOptions
  extends StorageUrlArgument, MountpointArgument, StorageOptions, LogOptions, OutputOptions, MountOwnOptions, FstabOptions {}

export interface MountOptions extends Omit<ParsedMountOptions, keyof FstabOptions> {
  /** What `-o` said of them, in order. */
  readonly kernelFlags: readonly KernelMountFlag[];
}

export const mountSpec: CommandSpec<
  StorageUrlArgument & MountpointArgument,
  MountOwnOptions & FstabOptions & StorageOptions & LogOptions & OutputOptions
> = {
  name: 'mount',
  program: 'mount.s3ql',
  summary: 'Mount a file system',
  description: [
    'Mounts the file system at the storage URL and goes to the background once it works. Use umount.s3ql to unmount: it waits until everything is in the store.',
    'The passphrase is asked for on the terminal, read as one line from standard input if that is no terminal, or taken from the authfile.',
    'In /etc/fstab the storage URL is the device and s3ql the type; every option can be given there by its long name, without dashes.',
  ],
  arguments: {
    storageUrl: { name: 'storage-url', description: 'Where the file system lives', parse: text },
    mountpoint: { name: 'mountpoint', description: 'Directory to mount it on', parse: path, completes: 'directory' },
  },
  options: {
    compress: {
      long: '--compress',
      value: 'algorithm-level',
      parse: compression,
      initial: undefined,
      fallback: 'as in the authfile, else lzma-6',
      choices: ['lzma-6', 'bzip2-6', 'zlib-6', 'none'],
      description: 'How new data is compressed: lzma, bzip2, zlib or none, with a level from 0 (fast) to 9 (small)',
    },
    cacheSizeBytes: {
      long: '--cachesize',
      value: 'KiB',
      parse: kibibytes(1),
      initial: undefined,
      fallback: 'by the number of entries, at most 80 % of the free space in the cache directory',
      description: 'Largest size of the cache for file data',
    },
    maxCacheEntries: {
      long: '--max-cache-entries',
      value: 'n',
      parse: integer(1),
      initial: undefined,
      fallback: String(DEFAULT_MAX_CACHE_ENTRIES),
      description: 'Largest number of blocks in the cache',
    },
    keepCache: { long: '--keep-cache', description: 'Keep the cached data when unmounting, for the next mount on this machine' },
    allowOther: { long: '--allow-other', description: 'Let all users use the mount, as permissions say' },
    allowRoot: { long: '--allow-root', description: 'Let root, besides the mounting user, use the mount' },
    dirtyBlockUploadDelayMs: {
      long: '--dirty-block-upload-delay',
      value: 'seconds',
      parse: seconds,
      initial: 10_000,
      fallback: '10',
      description: 'Upload a changed block this long after its last change',
    },
    foreground: { long: '--fg', description: 'Stay in the foreground' },
    fsName: {
      long: '--fs-name',
      value: 'name',
      parse: text,
      initial: undefined,
      fallback: 'the storage URL',
      description: 'What mount(8) and df show as the device',
    },
    systemd: {
      long: '--systemd',
      description: 'Run as a systemd service of type "notify": in the foreground, with log levels for the journal',
    },
    metadataBackupIntervalMs: {
      long: '--metadata-backup-interval',
      value: 'seconds',
      parse: seconds,
      initial: 300_000,
      fallback: '300',
      description: 'Bring changed metadata to the store this often (0: only when unmounting, or on request)',
    },
    fsync: {
      long: '--fsync',
      value: 'where',
      parse: oneOf('local', 'remote'),
      initial: 'local',
      fallback: 'local',
      choices: ['local', 'remote'],
      description: 'Where data and metadata are safe when fsync returns: on the disk of this machine (local), or in the store (remote)',
    },
    readTimeoutMs: {
      long: '--read-timeout',
      value: 'seconds',
      parse: seconds,
      initial: 300_000,
      fallback: '300',
      description: 'A read whose data is not cached fails if the store has not given it after this time (0: wait as long as it takes)',
    },
    storeTimeoutMs: {
      long: '--store-timeout',
      value: 'seconds',
      parse: seconds,
      initial: 86_400_000,
      fallback: '86400',
      description:
        'A request to the store that fails is tried again for this long. If what is written cannot be stored then, the mount is read-only until the store takes it again',
    },
    fullCache: {
      long: '--full-cache',
      value: 'what',
      parse: oneOf('wait', 'fail'),
      initial: 'wait',
      fallback: 'wait',
      choices: ['wait', 'fail'],
      description: 'What writers do while the cache is full of changes and the store does not work: wait, or fail with ENOSPC',
    },
    takeOver: {
      long: '--take-over',
      description:
        'Mount the last complete state in the store although another machine has the file system mounted. Only if that machine is lost: what it has not stored is not there',
    },
    nfs: { long: '--nfs', description: 'Prepare the file system for export by NFS: finding a parent directory becomes fast' },
    fstabOptions: {
      short: '-o',
      value: 'options',
      parse: list,
      initial: [],
      repeatable: true,
      description: 'Options as in fstab: long names without dashes, separated by commas, as in "allow-other,cachesize=1048576"',
    },
    sloppy: { short: '-s', description: 'Ignore unknown words in -o (for mount(8))' },
    fake: { short: '-f', description: 'Check the command line, but mount nothing (for mount(8))' },
    noMtab: { short: '-n', description: 'Without effect: /etc/mtab is never written (for mount(8))' },
    verbose: { short: '-v', description: 'Print debugging messages of the mount itself (for mount(8))' },
    ...storageOptions,
    ...logOptions('mount.log in the cache directory'),
    ...outputOptions,
  },
};
