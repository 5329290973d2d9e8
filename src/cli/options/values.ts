/** Parsers for values of options: text in, typed value or InvalidValueError out. Units are in the names of what they return. */
import { resolve } from 'node:path';
import { homedir } from 'node:os';
import { parseRateSchedule, type RateSchedule, RateSyntaxError } from '../../backends/bandwidth/rate-schedule.ts';
import type { CompressionAlgorithm, CompressionSpec } from '../../envelope/compression-spec.ts';
import { InvalidValueError } from './option.ts';

/** Where a program's log goes. */
export type LogTarget = { readonly kind: 'none' } | { readonly kind: 'syslog' } | { readonly kind: 'file'; readonly path: string };

const COMPRESSION_ALGORITHMS = ['lzma', 'bzip2', 'zlib', 'none'] as const satisfies readonly CompressionAlgorithm[];
const DEFAULT_COMPRESSION_LEVEL = 6;
const KIB = 1024;

/** Text as it is. */
export function text(value: string): string {
  return value;
}

/** One of some words. */
export function oneOf<Word extends string>(...words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const word = words.find((known) => known === value);
    if (word === undefined) throw new InvalidValueError(`must be one of ${words.join(', ')}`);
    return word;
  };
}

/** A whole number of at least `minimum`. */
export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= minimum && number <= maximum)) {
      const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
      throw new InvalidValueError(`expected a whole number ${range}`);
    }
    return number;
  };
}

/** A number of KiB; the result is in bytes. */
export function kibibytes(minimumKib: number, maximumKib: number = Number.MAX_SAFE_INTEGER / KIB): (value: string) => number {
  const parse = integer(minimumKib, Math.floor(maximumKib));
  return (value) => parse(value) * KIB;
}

/** A number of seconds, fractions allowed; the result is in milliseconds. */
export function seconds(value: string): number {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw new InvalidValueError('expected a number of seconds');
  return Math.round(number * 1000);
}

/** A path; relative ones are taken from the current directory, `~/` from the home directory. The result is absolute. */
export function path(value: string): string {
  if (value === '') throw new InvalidValueError('expected a path');
  return resolve(value === '~' || value.startsWith('~/') ? homedir() + value.slice(1) : value);
}

/** Adds a path to those given before. */
export function paths(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, path(value)];
}

/** Adds to what was given before. */
export function list(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** `none`, `syslog`, or a file. */
export function logTarget(value: string): LogTarget {
  if (value === 'none' || value === 'syslog') return { kind: value };
  return { kind: 'file', path: path(value) };
}

/** `lzma-6`, `zlib`, `none`, ...: an algorithm and, after a dash, a level from 0 to 9. */
export function compression(value: string): CompressionSpec {
  const [, name, levelText] = /^([a-z0-9]+)(?:-(\d+))?$/.exec(value) ?? [];
  const algorithm = COMPRESSION_ALGORITHMS.find((known) => known === name);
  if (algorithm === undefined)
    throw new InvalidValueError(`expected one of ${COMPRESSION_ALGORITHMS.join(', ')}, optionally with a level, as in lzma-6`);
  const level = levelText === undefined ? DEFAULT_COMPRESSION_LEVEL : Number(levelText);
  const lowest = algorithm === 'bzip2' ? 1 : 0;
  if (level < lowest || level > 9) throw new InvalidValueError(`levels of ${algorithm} go from ${lowest} to 9`);
  return { algorithm, level };
}

/** `2M`, `08:00-18:00=1M,otherwise=10M`: bytes per second, by the time of day. */
export function rateSchedule(value: string): RateSchedule {
  try {
    return parseRateSchedule(value);
  } catch (error) {
    if (error instanceof RateSyntaxError) throw new InvalidValueError(error.message);
    throw error;
  }
}
