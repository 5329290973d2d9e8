/**
 * How a file in a store is named on a command line: `URL:PATH`, or the URL alone for the root directory.
 *
 * Paths are absolute, so the first `:/` behind the URL's scheme (`s3://`) ends the URL: ports (`host:8080/`) are no obstacle. A storage URL that
 * has `:/` in itself is given by `--storage-url`; then everything is path.
 */
import { InvalidValueError, type OptionTable } from './option.ts';
import { path, text } from './values.ts';

export interface Location {
  /** As given. */
  readonly storageUrl: string;
  /** Begins with a slash. Bytes that are no UTF-8 cannot be given on a command line. */
  readonly path: string;
}

export interface LocationOptions {
  /** Undefined: the arguments say it. */
  readonly storageUrl: string | undefined;
}

export const locationOptions: OptionTable<LocationOptions> = {
  storageUrl: {
    long: '--storage-url',
    value: 'url',
    parse: text,
    initial: undefined,
    fallback: 'as in the arguments',
    description: 'Where the file system lives, for URLs that contain ":/" themselves; arguments are paths alone then',
  },
};

/** What commands have that only read. */
export interface ReadingOptions extends LocationOptions {
  /** Absolute. Undefined: what the store has is read. */
  readonly setAside: string | undefined;
}

export const readingOptions: OptionTable<ReadingOptions> = {
  ...locationOptions,
  setAside: {
    long: '--set-aside',
    value: 'directory',
    parse: path,
    initial: undefined,
    completes: 'directory',
    description:
      'Read what a mount on this machine had not stored when another machine took the file system over: the directory that the log names, "set-aside-..."',
  },
};

export const LOCATION_HELP =
  'A file is named by the storage URL, a colon and its absolute path, as in "s3://eu-west-1/bucket/prefix:/dir/file"; the URL alone is the root directory. The first ":/" behind the scheme ends the URL.';

/** @throws InvalidValueError */
export function parseLocation(value: string, storageUrl?: string): Location {
  if (storageUrl !== undefined) {
    if (!value.startsWith('/')) throw new InvalidValueError(`with --storage-url "${value}" must be an absolute path`);
    return { storageUrl, path: value };
  }
  const scheme = /^[a-z0-9]+:\/\//.exec(value)?.[0];
  if (scheme === undefined) throw new InvalidValueError(`"${value}" is not of the form storage-url:/path`);
  const end = value.indexOf(':/', scheme.length);
  return end < 0 ? { storageUrl: value, path: '/' } : { storageUrl: value.slice(0, end), path: value.slice(end + 1) };
}
