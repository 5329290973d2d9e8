/** Claims about names, paths and directories. */
import { expect } from 'vitest';
import { succeed } from '../../support/success.ts';
import {
  NAME_MAX,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  PATH_MAX,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from '../../support/syscalls/constants.ts';
import type { ListedEntry } from '../../support/syscalls/descriptor-calls.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import type { ErrnoName } from '../../../src/util/errors.ts';
import { FILE_TYPES, make } from '../objects.ts';
import type { Row } from '../row.ts';
import type { CheckContext, Checks } from './check.ts';

const CONTROL_FILE = '.__s3ql__ctrl__';
const RENAME_WHITEOUT = 4;

function namesIn(entries: readonly ListedEntry[]): string[] {
  return entries.map(({ name }) => Buffer.from(name).toString('latin1')).sort();
}

async function anyBytes({ agent, directory }: CheckContext): Promise<void> {
  const names = ['a', 'A', 'e\u0301', '\u00e9', 'line\nbreak', ' '].map((name) => Buffer.from(name));
  names.push(Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f)));
  await succeed(agent, [['chdir', directory], ...names.map((name): Call => ['mkdir', name, 0o755])]);
  const [, entries] = await succeed(agent, [
    ['open', '.', O_RDONLY, 0, 'd'],
    ['listDirectory', 'd'],
  ]);
  expect(namesIn(entries)).toEqual(['.', '..', ...names.map((name) => name.toString('latin1'))].sort());
}

async function hiddenControlFile({ agent, directory }: CheckContext): Promise<void> {
  const [, , , entries, attributes] = await succeed(agent, [
    ['chdir', directory],
    ['mkdir', 'd', 0o755],
    ['open', 'd', O_RDONLY, 0, 'd'],
    ['listDirectory', 'd'],
    ['lstat', `d/${CONTROL_FILE}`],
  ]);
  expect(namesIn(entries)).toEqual(['.', '..']);
  expect(attributes).toMatchObject({ type: 'file', mode: 0o600, uid: 0 });
}

const CONTROL_FILE_ATTEMPTS: ReadonlyArray<readonly [Call, ErrnoName]> = [
  [['open', CONTROL_FILE, O_RDONLY], 'EACCES'],
  [['open', CONTROL_FILE, O_WRONLY | O_CREAT, 0o600], 'EACCES'],
  [['truncate', CONTROL_FILE, 0], 'EPERM'],
  [['chmod', CONTROL_FILE, 0o777], 'EPERM'],
  [['chown', CONTROL_FILE, 1, 1], 'EPERM'],
  [['utimensat', CONTROL_FILE, null], 'EPERM'],
  [['unlink', CONTROL_FILE], 'EACCES'],
  [['rename', CONTROL_FILE, 'x'], 'EACCES'],
  [['rename', 'other', CONTROL_FILE], 'EACCES'],
  [['rename', 'other', CONTROL_FILE, RENAME_EXCHANGE], 'EACCES'],
  [['link', CONTROL_FILE, 'x'], 'EPERM'],
  [['link', 'other', CONTROL_FILE], 'EEXIST'],
  [['mkdir', CONTROL_FILE, 0o755], 'EEXIST'],
  [['symlink', 'other', CONTROL_FILE], 'EEXIST'],
  [['removexattr', CONTROL_FILE, 'user.x'], 'EPERM'],
  [['setxattr', CONTROL_FILE, 'user.x', 'y'], 'EINVAL'],
];

/** Listed in small pieces, while every other entry goes and new ones come. */
async function listingWhileChanging({ agent, directory }: CheckContext): Promise<void> {
  const stable = Array.from({ length: 200 }, (_, index) => `stable-${index}`);
  const doomed = Array.from({ length: 200 }, (_, index) => `doomed-${index}`);
  await succeed(agent, [
    ['chdir', directory],
    ...stable.flatMap((name, index): Call[] => [
      ['mkdir', name, 0o755],
      ['mkdir', doomed[index] as string, 0o755],
    ]),
  ]);
  await succeed(agent, [['open', '.', O_RDONLY, 0, 'd']]);
  const seen: string[] = [];
  for (let round = 0; ; round += 1) {
    const [entries] = await succeed(agent, [['getdents', 'd', 1024]]);
    if (entries.length === 0) break;
    seen.push(...namesIn(entries));
    const victims = doomed.splice(-5).map((name): Call => ['rmdir', name]);
    if (round < 10) await succeed(agent, [...victims, ['mkdir', `new-${round}`, 0o755], ['rename', `new-${round}`, `renamed-${round}`]]);
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((name) => name.startsWith('stable')).sort()).toEqual(stable.sort());
}

const FILE: Omit<Row, 'name' | 'call'> = { setup: make('file', 'x', { content: 'x' }) };

export const nameChecks: Checks = {
  'name-bytes': anyBytes,
  'name-length': [
    { call: ['mkdir', 'n'.repeat(NAME_MAX), 0o755] },
    { call: ['mkdir', 'n'.repeat(NAME_MAX + 1), 0o755], error: 'ENAMETOOLONG' },
    { call: ['lstat', 'n'.repeat(NAME_MAX + 1)], error: 'ENAMETOOLONG' },
    { call: ['statfs', '.'], data: { maxNameLength: BigInt(NAME_MAX) } },
  ],
  'path-length': [
    { ...FILE, call: ['stat', `${'./'.repeat((PATH_MAX - 2) / 2)}x`] },
    { ...FILE, call: ['stat', `.${'./'.repeat((PATH_MAX - 2) / 2)}x`], error: 'ENAMETOOLONG' },
    { call: ['symlink', 't'.repeat(PATH_MAX - 1), 'x'], after: { x: { size: BigInt(PATH_MAX - 1) } } },
    { call: ['symlink', 't'.repeat(PATH_MAX), 'x'], error: 'ENAMETOOLONG' },
  ],
  'control-file-hidden': hiddenControlFile,
  'control-file-closed': CONTROL_FILE_ATTEMPTS.map(([call, error]) => ({ setup: make('file', 'other'), call, error })),
  'directory-links': [
    { setup: [...make('directory', 'a'), ...make('directory', 'b'), ...make('file', 'c')], call: ['stat', '.'], data: { nlink: 4 } },
    {
      setup: [...make('directory', 'a'), ...make('directory', 'b')],
      call: ['rename', 'a', 'b/a'],
      after: { '.': { nlink: 3 }, b: { nlink: 3 } },
    },
  ],
  'directory-size': [{ setup: [...make('directory', 'd'), ...make('file', 'd/x')], call: ['stat', 'd'], data: { size: 0n, blocks: 0n } }],
  'directory-listing': listingWhileChanging,
  'rename-replaces': [
    {
      setup: [...make('file', 'x', { content: 'new' }), ...make('file', 'y')],
      call: ['rename', 'x', 'y'],
      contents: { y: 'new' },
      after: { x: 'absent' },
    },
    {
      setup: [...make('directory', 'x'), ...make('directory', 'y'), ...make('file', 'y/z')],
      call: ['rename', 'x', 'y'],
      error: 'ENOTEMPTY',
    },
    { setup: [...make('directory', 'x'), ...make('directory', 'y')], call: ['rename', 'x', 'y'], after: { x: 'absent' } },
  ],
  'rename-flags': [
    { setup: [...make('file', 'x'), ...make('file', 'y')], call: ['rename', 'x', 'y', RENAME_NOREPLACE], error: 'EEXIST' },
    {
      setup: [...make('file', 'x', { content: 'a' }), ...make('directory', 'y')],
      call: ['rename', 'x', 'y', RENAME_EXCHANGE],
      after: { x: { type: 'directory' }, y: { type: 'file' } },
    },
    {
      setup: make('file', 'x'),
      call: ['rename', 'x', 'y', RENAME_WHITEOUT],
      after: { x: { type: 'character', rdevMajor: 0, rdevMinor: 0 } },
    },
  ],
  'hard-links': [
    ...FILE_TYPES.filter((type) => type !== 'directory').map((type) => ({
      setup: make(type, 'x'),
      call: ['link', 'x', 'y'] as const,
      after: { y: { type, nlink: 2 } },
    })),
    { setup: make('directory', 'x'), call: ['link', 'x', 'y'], error: 'EPERM' },
  ],
  'unlink-open': [
    {
      ...FILE,
      steps: [
        ['open', 'x', O_RDWR, 0, 'f'],
        ['unlink', 'x'],
        ['pwrite', 'f', 'still', 0],
      ],
      call: ['pread', 'f', 10, 0],
      text: 'still',
    },
    {
      setup: make('directory', 'd'),
      steps: [
        ['open', 'd', O_RDONLY, 0, 'd'],
        ['rmdir', 'd'],
      ],
      call: ['fstat', 'd'],
      data: { nlink: 0 },
    },
  ],
  tmpfile: [
    {
      steps: [
        ['open', '.', O_TMPFILE | O_RDWR, 0o600, 'f'],
        ['write', 'f', 'named'],
      ],
      call: ['linkDescriptor', 'f', 'x'],
      contents: { x: 'named' },
    },
    { steps: [['open', '.', O_TMPFILE | O_RDWR, 0o600, 'f']], call: ['fstat', 'f'], data: { nlink: 0 } },
  ],
};
