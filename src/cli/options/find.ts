/** s3ql find: arguments and options. */
import { statSync } from 'node:fs';
import type { FileTypeLetter, SizeTest } from './file-tests.ts';
import { globMatcher } from '../../util/glob.ts';
import { LOCATION_HELP, type ReadingOptions, readingOptions } from './location.ts';
import { InvalidValueError, type CommandSpec } from './option.ts';
import { logOptions, outputOptions, storageOptions, type LogOptions, type OutputOptions, type StorageOptions } from './shared.ts';
import { integer, list } from './values.ts';

interface FindArguments {
  readonly locations: readonly string[];
}

interface FindOwnOptions {
  readonly name: ((name: Uint8Array) => boolean) | undefined;
  readonly iname: ((name: Uint8Array) => boolean) | undefined;
  readonly types: readonly FileTypeLetter[];
  readonly sizes: readonly SizeTest[];
  /** In ns since the epoch. */
  readonly newerThanNs: bigint | undefined;
  readonly olderThanNs: bigint | undefined;
  readonly maxDepth: number | undefined;
  readonly print0: boolean;
}

const TYPE_LETTERS: readonly FileTypeLetter[] = ['f', 'd', 'l', 'p', 's', 'b', 'c'];
const UNIT_BYTES: Readonly<Record<string, bigint>> = { c: 1n, k: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };
/** find(1)'s unit where none is given. */
const BLOCK_BYTES = 512n;

export const findSpec: CommandSpec<FindArguments, FindOwnOptions & ReadingOptions & StorageOptions & LogOptions & OutputOptions> = {
  name: 'find',
  program: 's3ql find',
  summary: 'Find files without a mount',
  description: [
    'Walks trees of a file system that is not mounted and prints the paths of the files for which all tests hold; without tests, of all. The tests may be written with one dash, too, as for find(1).',
    LOCATION_HELP,
    'Reads what the store has: nothing is changed, and the file system need not be mounted. While it is mounted on another machine the state of the last upload of its metadata is shown, with a warning; on this machine use the mount.',
  ],
  arguments: {
    locations: { name: 'storage-url:path', description: 'Where to begin', parse: list, variadic: true },
  },
  options: {
    name: {
      long: '--name',
      value: 'pattern',
      parse: (value) => globMatcher(value),
      initial: undefined,
      description: 'Only names that match the shell pattern (quote it)',
    },
    iname: {
      long: '--iname',
      value: 'pattern',
      parse: (value) => globMatcher(value, { ignoreCase: true }),
      initial: undefined,
      description: 'The same, regardless of case',
    },
    types: {
      long: '--type',
      value: 'letters',
      parse: types,
      initial: [],
      choices: TYPE_LETTERS,
      description: 'Only files of these types: f (regular), d (directory), l (symbolic link), p, s, b, c; several separated by commas',
    },
    sizes: {
      long: '--size',
      value: '[+-]n[ckMGT]',
      parse: size,
      initial: [],
      repeatable: true,
      description:
        'Only files of more than (+), less than (-) or exactly so many bytes (c), KiB, MiB, GiB or TiB, rounded up; 512-byte blocks without a unit',
    },
    newerThanNs: {
      long: '--newer',
      value: 'time',
      parse: time,
      initial: undefined,
      description: 'Only files modified after this time, as in 2026-11-22 or "2026-11-22 18:04", or after this file of the machine was',
    },
    olderThanNs: {
      long: '--older',
      value: 'time',
      parse: time,
      initial: undefined,
      description: 'Only files modified before this time',
    },
    maxDepth: {
      long: '--maxdepth',
      value: 'n',
      parse: integer(0),
      initial: undefined,
      description: 'Go down so many directories at most; 0 looks at the starting points alone',
    },
    print0: { long: '--print0', description: 'End each path with a NUL instead of a newline, as xargs -0 reads it' },
    ...readingOptions,
    ...storageOptions,
    ...logOptions('none'),
    ...outputOptions,
  },
};

/** Tests as find(1) writes them become ours: `-name` is `--name`. */
export function withTwoDashes(argv: readonly string[]): string[] {
  const names = new Set(Object.values(findSpec.options).flatMap(({ long }) => (long === undefined ? [] : [long])));
  return argv.map((word) => (/^-[a-z]{2}/.test(word) && names.has(`-${word}`) ? `-${word}` : word));
}

function types(value: string): readonly FileTypeLetter[] {
  return value.split(',').map((letter) => {
    const type = TYPE_LETTERS.find((known) => known === letter);
    if (type === undefined) throw new InvalidValueError(`expected letters out of ${TYPE_LETTERS.join(', ')}`);
    return type;
  });
}

function size(value: string, previous: readonly SizeTest[]): readonly SizeTest[] {
  const [, sign, count, unit = ''] = /^([+-]?)(\d+)([ckMGT]?)$/.exec(value) ?? [];
  if (count === undefined) throw new InvalidValueError('expected a size as in +10M');
  const compare = sign === '+' ? 'more' : sign === '-' ? 'less' : 'equal';
  return [...previous, { compare, count: BigInt(count), unitBytes: UNIT_BYTES[unit] ?? BLOCK_BYTES }];
}

function time(value: string): bigint {
  if (/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:\d{2})?$/.test(value)) {
    // Without a time of day JavaScript would mean UTC, people mean their own midnight.
    const date = new Date(value.length === 10 ? `${value}T00:00` : value.replace(' ', 'T'));
    if (!Number.isNaN(date.getTime())) return BigInt(date.getTime()) * 1_000_000n;
  }
  const stats = statSync(value, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) throw new InvalidValueError('expected a time as in 2026-11-22 or "2026-11-22 18:04", or a file');
  return stats.mtimeNs;
}
