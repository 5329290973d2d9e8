/** authinfo2 is read as Python's ConfigParser reads it: files that are tricky, and random ones, are given to both. */
import { execFileSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parsePythonConfig } from '../../src/util/python-config.ts';
import { installDebianPackages } from '../support/debian-packages.ts';

/** The sections of each file with their settings, or null where it is refused. */
type Parsed = readonly (readonly [string, readonly (readonly [string, string])[]])[] | null;

/** A file is on the disk as S3QL finds it: ends of lines are Python's business. */
const PYTHON = `
import configparser, io, json, sys
answers = []
for text in json.load(sys.stdin):
    config = configparser.ConfigParser()
    try:
        config.read_file(io.TextIOWrapper(io.BytesIO(text.encode('utf-8')), encoding='utf-8'))
        answers.append([[name, sorted(config.items(name))] for name in config.sections()])
    except (configparser.Error, ValueError):
        answers.append(None)
json.dump(answers, sys.stdout)
`;

const RUNS = 5000;

beforeAll(() => installDebianPackages('python3'));

function byPython(files: readonly string[]): readonly Parsed[] {
  const output = execFileSync('python3', ['-c', PYTHON], { input: JSON.stringify(files), maxBuffer: 1024 ** 3, encoding: 'utf8' });
  return JSON.parse(output) as Parsed[];
}

function byOurs(file: string): Parsed {
  try {
    const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);
    return [...parsePythonConfig(file)].map(([name, section]) => [name, [...section].toSorted(byKey)]);
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigSyntaxError') return null;
    throw error;
  }
}

/** The files that the two read differently. */
function differences(files: readonly string[]): { readonly file: string; readonly ours: Parsed; readonly theirs: Parsed }[] {
  const theirs = byPython(files);
  return files
    .map((file, index) => ({ file, ours: byOurs(file), theirs: theirs[index] ?? null }))
    .filter((read) => !isDeepStrictEqual(read.ours, read.theirs));
}

const chain = (links: number, end: string): string =>
  ['[s]', `v0: ${end}`, ...Array.from({ length: links }, (_, link) => `v${link + 1}: %(v${link})s`)].join('\n');

const TRICKY = [
  '',
  '\n\n# only a comment\n',
  'a: 1',
  '[s]\na',
  '[s]\na:\nb=\n',
  '[s]\na: 1\n  \n   2\n\n b: 3\nc: 4',
  '[s]\n a: 1\nb: 2\n  c: 3',
  '[s]\n  a: 1\n b: 2\n   c: 3\n  d: 4',
  '[s]\na: 1\n# comment\n ; another\n  2\n',
  '[s]\na: 1\n\t2\n        3',
  '[s]\na: x # y ; z\nb = # not a comment',
  '[s]\na=b:c\nb:c=d\nc==x\nd:=x\ne = : x',
  '[s]\n= x',
  '[s]\n: x',
  '[s]\na b c : d e f',
  '[S]\nA: 1\n[s]\na: 2',
  '[s]\nA: 1\na: 2',
  '[s]\na: 1\n[s]\nb: 2',
  '[DEFAULT]\na: 1\n[s]\nb: %(a)s\n[DEFAULT]\nc: 3',
  '[DEFAULT]\na: 1\n[s]\n[DEFAULT]\na: 3',
  '[default]\na: 1\n[s]\nb: 2',
  '[s] trailing\na: 1',
  '[a]b]\nx: 1\n[c] ]\ny: 2',
  '[]\na: 1',
  '[ ]\na: 1',
  '[ s ]\na: 1',
  '  [s]\na: 1',
  '[s]\na: 1\n  [t]\nb: 2',
  '[s]\n  [t]\nb: 2',
  '[s\na: 1',
  '[s]\na: 100%',
  '[s]\na: 100%%',
  '[s]\na: %%%%(b)s',
  '[s]\na: %(b)s\nb: 100%%',
  '[s]\na: %(B)s\nb: 1',
  '[s]\na: %( b)s\nb: 1',
  '[s]\na: %()s\nb: 1',
  '[s]\na: %(b)d\nb: 1',
  '[s]\na: %(b\nb: 1',
  '[s]\na: %(a)s',
  '[s]\na: %(b)s\nb: %(a)s',
  '[s]\na: %(none)s',
  chain(9, 'end'),
  chain(10, 'end'),
  chain(11, 'end'),
  chain(9, '%%'),
  chain(10, '%%'),
  '\uFEFF[s]\na: 1',
  '[s]\na: \u00a0x\u00a0\n\u00a0b: 1',
  '[s]\na: 1\u2028b: 2\u2029c',
  '[s]\na: 1\u0085b: 2\u001cc: 3\u001e',
  '[s]\n\u001c a: 1',
  '[s]\na\u0085: x\u001f',
  '[s]\na: 1\vb: 2\fc: 3\u0000d',
  '[s]\r\na: 1\r\nb: 2\rc: 3\n\rd: 4',
  '[s]\nÄ: 1\nä: 2',
  '[s]\nİ: 1',
  '[s]\nΑΣ: 1',
  '[s]\n__proto__: x\nconstructor: y',
  '[s]\nrem a: 1',
  '[s]\na: 1\n[t',
  '[s]\na:1\n  b:2\n[t]\n  c:3',
  '[s]\na: 1\n\n\n\n',
  '[s]\na:\n  1\n\n  2\n',
  '[s]\na: "quoted"\nb: \'x\'',
  '[s]\na: ${b}\nb: $x',
  '[s]\na: back\\slash\\n \\\n  next',
  '[s3]\nstorage-url: s3://eu-west-1/b\nbackend-password: p%%w;#d=:',
];

test('files that are tricky', () => {
  expect(differences(TRICKY)).toEqual([]);
});

test('random files', () => {
  const word = fc.constantFrom(
    'a',
    'B',
    'ab c',
    'v',
    '%%',
    '%(a)s',
    '%(v)s',
    '%',
    '%(',
    ')s',
    '#',
    ';',
    '=',
    ':',
    '"',
    '\\',
    'ä',
    '\u0085',
  );
  const space = fc.constantFrom('', '', ' ', '  ', '    ', '\t', '\u00a0', '\u001d');
  const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(''));
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(space, fc.constantFrom('a', 'b', 'v', 'A'), space, fc.constantFrom('=', ':'), space, text, space) },
    { weight: 2, arbitrary: fc.tuple(space, fc.constantFrom('[s]', '[t]', '[DEFAULT]', '[s] x', '[a]b]')) },
    { weight: 2, arbitrary: fc.tuple(space, text) },
    { weight: 1, arbitrary: fc.tuple(space, fc.constantFrom('# x', '; x', '')) },
  );
  const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r', '\u2028');
  const file = fc
    .array(fc.tuple(line, end), { maxLength: 12 })
    .map((lines) => ['[x]\n', ...lines.flatMap(([parts, newline]) => [...parts, newline])].join(''));
  const files = fc.sample(file, RUNS);
  expect(files.some((sample) => byOurs(sample) !== null)).toBe(true);
  expect(differences(files)).toEqual([]);
});
