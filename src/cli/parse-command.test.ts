import { describe, expect, test } from 'vitest';
import { UserError } from '../util/errors.ts';
import { cpSpec } from './options/cp.ts';
import { ctrlSpec } from './options/ctrl.ts';
import { lockSpec } from './options/lock.ts';
import { mkfsSpec } from './options/mkfs.ts';
import { mountSpec } from './options/mount.ts';
import { rmSpec } from './options/rm.ts';
import { statSpec } from './options/stat.ts';
import { umountSpec } from './options/umount.ts';
import { helpText, InformationRequest, optionFlags, parseCommand } from './parse-command.ts';

function failure(operation: () => unknown): unknown {
  try {
    return operation();
  } catch (error) {
    return error;
  }
}

test('options that are not given have their defaults', () => {
  expect(parseCommand(mkfsSpec, ['local:///x'])).toEqual({
    storageUrl: 'local:///x',
    label: '',
    dataBlockSizeBytes: 1048576,
    metadataBlockSizeBytes: 65536,
    plain: false,
    authfile: expect.stringMatching(/^\/.*\/\.s3ql\/authinfo2$/) as string,
    cachedir: undefined,
    backendOptions: undefined,
    maxConnections: undefined,
    maxThreads: undefined,
    debug: false,
    debugModules: [],
    quiet: false,
    json: false,
  });
});

test('values are converted, short names work, and repeatable options add up', () => {
  const argv = ['-L', 'my data', '--data-block-size', '512', '--plain', '--backend-options', 'no-ssl,tcp-timeout=7', 's3://r/b'];
  expect(parseCommand(mkfsSpec, [...argv, '--debug-modules', 'blocks', '--debug-modules=metadata'])).toMatchObject({
    storageUrl: 's3://r/b',
    label: 'my data',
    dataBlockSizeBytes: 512 * 1024,
    plain: true,
    backendOptions: { 'no-ssl': true, 'tcp-timeout': '7' },
    debugModules: ['blocks', 'metadata'],
  });
});

test('the last argument may be one or more, or any number', () => {
  expect(parseCommand(rmSpec, ['/a', '/b']).paths).toEqual(['/a', '/b']);
  expect(() => parseCommand(rmSpec, [])).toThrow("missing required argument 'directory'");
  expect(parseCommand(ctrlSpec, ['dropcache', '/m'])).toMatchObject({ action: 'dropcache', mountpoint: '/m', values: [] });
  expect(parseCommand(ctrlSpec, ['log', '/m', 'debug', 'fuse', 'blocks']).values).toEqual(['debug', 'fuse', 'blocks']);
});

test('what follows a double dash is an argument', () => {
  expect(parseCommand(umountSpec, ['--', '-z'])).toMatchObject({ mountpoint: `${process.cwd()}/-z`, lazy: false });
});

test.each([
  [[], "missing required argument 'storage-url'"],
  [['a', 'b'], 'too many arguments. Expected 1 argument but got 2: a, b.'],
  [['a', '--nonsense'], "unknown option '--nonsense'"],
  [['a', '--plan'], "unknown option '--plan' (Did you mean --plain?)"],
  [['a', '--label'], "option '-L, --label <name>' argument missing"],
  [['a', '--max-threads', '0'], "option '--max-threads <n>' argument '0' is invalid. expected a whole number of at least 1"],
  [['a', '--data-block-size', '1.5'], /argument '1\.5' is invalid\. expected a whole number from 1 to 262144/],
])('mkfs.s3ql %j is refused with one line and exit code 2', (argv, message) => {
  const error = failure(() => parseCommand(mkfsSpec, argv)) as UserError;
  expect(error).toBeInstanceOf(UserError);
  expect(error.exitCode).toBe(2);
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain('\n');
});

test('--version prints program and version, even without the arguments that are needed otherwise', () => {
  const error = failure(() => parseCommand(statSpec, ['--version'])) as InformationRequest;
  expect(error).toBeInstanceOf(InformationRequest);
  expect(error.text).toMatch(/^s3qlstat \d+\.\d+\.\d+\n$/);
});

describe.each([
  ['mkfs', mkfsSpec],
  ['mount', mountSpec],
  ['umount', umountSpec],
  ['stat', statSpec],
  ['cp', cpSpec],
  ['lock', lockSpec],
  ['rm', rmSpec],
  ['ctrl', ctrlSpec],
])('%s', (_name, spec) => {
  test('--help shows every argument and option', () => {
    const { text } = failure(() => parseCommand(spec as typeof umountSpec, ['--help'])) as InformationRequest;
    expect(text).toBe(helpText(spec));
    const flags = Object.values(spec.options).map((option) => optionFlags(option));
    const names = Object.values(spec.arguments).map(({ name }) => name);
    for (const expected of [...flags, ...names]) expect(text).toContain(expected);
  });

  test('no two options share a name', () => {
    const names = Object.values(spec.options).flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined));
    expect(new Set(names).size).toBe(names.length);
  });
});
