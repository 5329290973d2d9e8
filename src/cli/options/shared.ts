/** Options that several commands have, as types and as parts of tables. */
import type { BackendOptions } from '../../backends/backend-factory.ts';
import type { RateSchedule } from '../../backends/bandwidth/rate-schedule.ts';
import { parseBackendOptions } from '../../backends/open-backend.ts';
import type { OptionTable } from './option.ts';
import { integer, list, logTarget, path, rateSchedule, type LogTarget } from './values.ts';

/** What every command has. */
export interface OutputOptions {
  readonly debug: boolean;
  /** Modules whose debug messages are wanted; `all` is all of them. */
  readonly debugModules: readonly string[];
  readonly quiet: boolean;
  readonly json: boolean;
}

/** What commands have that can keep a log. */
export interface LogOptions {
  /** Undefined: the command's default. */
  readonly log: LogTarget | undefined;
}

/** What commands have that open a store. Undefined: what authinfo2 says for the storage URL, else the default. */
export interface StorageOptions {
  readonly authfile: string;
  readonly cachedir: string | undefined;
  readonly backendOptions: BackendOptions | undefined;
  readonly maxConnections: number | undefined;
  readonly maxThreads: number | undefined;
  /** Undefined: no limit. */
  readonly uploadLimit: RateSchedule | undefined;
  readonly downloadLimit: RateSchedule | undefined;
}

export interface StorageUrlArgument {
  /** As given; backends make it canonical. */
  readonly storageUrl: string;
}

/** Values that hold when neither the command line nor authinfo2 says otherwise. */
export const DEFAULT_CACHEDIR = '~/.s3ql';
export const DEFAULT_AUTHFILE = '~/.s3ql/authinfo2';
export const DEFAULT_MAX_CONNECTIONS = 32;

export const outputOptions: OptionTable<OutputOptions> = {
  debug: { long: '--debug', description: 'Log debugging messages of all modules' },
  debugModules: {
    long: '--debug-modules',
    value: 'module',
    parse: list,
    initial: [],
    repeatable: true,
    description: 'Log debugging messages of this module ("all": of all modules)',
  },
  quiet: { long: '--quiet', description: 'Print only warnings and errors' },
  json: { long: '--json', description: 'Print results, progress and errors as JSON' },
};

/** `fallback` says where the log goes without the option. */
export function logOptions(fallback: string): OptionTable<LogOptions> {
  return {
    log: {
      long: '--log',
      value: 'target',
      parse: logTarget,
      initial: undefined,
      fallback,
      completes: 'file',
      description: 'Where to log: a file (rotated at 10 MiB, 5 old files are kept), "syslog", or "none"',
    },
  };
}

export const storageOptions: OptionTable<StorageOptions> = {
  authfile: {
    long: '--authfile',
    value: 'path',
    parse: path,
    initial: path(DEFAULT_AUTHFILE),
    fallback: DEFAULT_AUTHFILE,
    completes: 'file',
    description: 'File with credentials and settings per storage URL; only its owner may have access to it',
  },
  cachedir: {
    long: '--cachedir',
    value: 'path',
    parse: path,
    initial: undefined,
    fallback: `as in the authfile, else ${DEFAULT_CACHEDIR}`,
    completes: 'directory',
    description: 'Directory for the cache and the local copy of the metadata; every use of a file system on one machine needs the same',
  },
  backendOptions: {
    long: '--backend-options',
    value: 'options',
    parse: parseBackendOptions,
    initial: undefined,
    fallback: 'as in the authfile, else none',
    description: 'Options of the storage backend, separated by commas, as in "tcp-timeout=20,no-ssl"',
  },
  maxConnections: {
    long: '--max-connections',
    value: 'n',
    parse: integer(1),
    initial: undefined,
    fallback: `as in the authfile, else ${DEFAULT_MAX_CONNECTIONS}`,
    description: 'How many requests to the store may run at once',
  },
  maxThreads: {
    long: '--max-threads',
    value: 'n',
    parse: integer(1),
    initial: undefined,
    fallback: 'as in the authfile, else by the number of processors and the memory that compression needs',
    description: 'How many threads compress and encrypt',
  },
  uploadLimit: {
    long: '--upload-limit',
    value: 'rate',
    parse: rateSchedule,
    initial: undefined,
    fallback: 'none',
    description:
      'Send at most so many bytes per second to the store: "500K", "2M" (K, M, G: powers of 1024), or by the time of day, as in "08:00-18:00=1M,otherwise=10M" (local time; the first rule that fits holds, "unlimited" is a rate, too)',
  },
  downloadLimit: {
    long: '--download-limit',
    value: 'rate',
    parse: rateSchedule,
    initial: undefined,
    fallback: 'none',
    description: 'Receive at most so many bytes per second from the store; written as for --upload-limit',
  },
};
