/** Claims about times, modes, ACLs, extended attributes and inode flags. */
import { mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { MountedFileSystem } from '../../support/mounted-file-system.ts';
import { mustRun, runProgram } from '../../support/run-program.ts';
import { succeed } from '../../support/success.ts';
import type { TimeArgument } from '../../support/syscalls/arguments.ts';
import { AT_SYMLINK_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY, XATTR_CREATE, XATTR_REPLACE } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { MEMBER, OWNER, STRANGER } from '../../support/users.ts';
import { ACCESS_ACL, DEFAULT_ACL, encodeAcl } from '../acl.ts';
import { FILE_TYPES, make } from '../objects.ts';
import type { CheckContext, Check, Checks } from './check.ts';

const SECOND_NS = 1_000_000_000n;
const MAX_TIME_NS = (1n << 63n) - 1n;
const MIN_TIME_NS = -(1n << 63n);
const FS_IMMUTABLE_FL = 0x10;
const FS_APPEND_FL = 0x20;
const OPEN: readonly Call[] = [['open', 'x', O_RDWR, 0, 'f']];
const CONTENT = make('file', 'x', { content: 'hello' });

function at(ns: bigint): TimeArgument {
  const nsec = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  return { sec: (ns - nsec) / SECOND_NS, nsec: Number(nsec) };
}

/** Both times set to `ns` are then `kept`. */
function timeIsKept(ns: bigint, kept: bigint = ns): ReturnType<typeof timeRow> {
  return timeRow([at(ns), at(ns)], { atimeNs: kept, mtimeNs: kept });
}

function timeRow(times: readonly [TimeArgument, TimeArgument], after: { readonly atimeNs: bigint; readonly mtimeNs: bigint }) {
  return { setup: make('file', 'x'), call: ['utimensat', 'x', times] as const, after: { x: after } };
}

/** Whether reading a file, and listing a directory, moves an atime that relatime would leave: newer than mtime and ctime. */
async function readsMoveAtime(mountArguments: readonly string[]): Promise<boolean[]> {
  await using fileSystem = await MountedFileSystem.create({ mountArguments });
  const [file, directory] = ['file', 'directory'].map((name) => join(fileSystem.mountpoint, name)) as [string, string];
  await writeFile(file, 'hello');
  await mkdir(directory);
  const minuteFromNow = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000);
  for (const path of [file, directory]) await utimes(path, minuteFromNow, new Date(0));
  await readFile(file);
  await readdir(directory);
  return await Promise.all([file, directory].map(async (path) => (await stat(path)).atimeMs !== minuteFromNow.getTime()));
}

async function atimeOptions(): Promise<void> {
  expect(await readsMoveAtime(['-o', 'strictatime'])).toEqual([true, true]);
  expect(await readsMoveAtime(['-o', 'strictatime,nodiratime'])).toEqual([true, false]);
  expect(await readsMoveAtime(['-o', 'noatime'])).toEqual([false, false]);
}

async function birthTimeIsAbsent({ agent, directory }: CheckContext): Promise<void> {
  const [attributes] = await succeed(agent, [['stat', directory]]);
  expect(attributes.btimeNs).toBeUndefined();
}

const CTIME_CHANGES: ReadonlyArray<readonly [Call, string]> = [
  [['chmod', 'x', 0o600], 'c'],
  [['chown', 'x', 1, 1], 'c'],
  [['link', 'x', 'y'], 'c'],
  [['rename', 'x', 'x'], ''],
  [['setxattr', 'x', 'user.x', 'y'], 'c'],
  [['utimensat', 'x', ['omit', 'omit']], ''],
  [['truncate', 'x', 2], 'mc'],
  [['truncate', 'x', 5], 'mc'],
  [['pwrite', 'f', 'H', 0], 'mc'],
  [['pwrite', 'f', '', 0], ''],
];

/** A set-user-id program of OWNER that everyone may write loses its set-user-id bit by the call. */
function loses(call: Call, as: typeof OWNER | undefined, steps: readonly Call[] = []) {
  return {
    setup: make('file', 'x', { owner: OWNER, mode: 0o6777, content: 'program' }),
    ...(as === undefined ? {} : { as }),
    steps,
    call,
    after: { x: { mode: 0o777 } },
  };
}

const NAMED_READER = { owner: 6, users: { [STRANGER.uid]: 4 }, group: 0, mask: 4, other: 0 };
const NAMED_NOBODY = { owner: 6, users: { [STRANGER.uid]: 0 }, group: 4, mask: 4, other: 4 };

const acls: Check = [
  {
    setup: [...make('file', 'x', { owner: OWNER, mode: 0o600 }), ['setxattr', 'x', ACCESS_ACL, encodeAcl(NAMED_READER)]],
    as: STRANGER,
    call: ['open', 'x', O_RDONLY],
  },
  {
    setup: [...make('file', 'x', { owner: OWNER, mode: 0o644 }), ['setxattr', 'x', ACCESS_ACL, encodeAcl(NAMED_NOBODY)]],
    as: STRANGER,
    call: ['open', 'x', O_RDONLY],
    error: 'EACCES',
  },
  {
    setup: [...make('file', 'x'), ['setxattr', 'x', ACCESS_ACL, encodeAcl(NAMED_READER)]],
    call: ['lstat', 'x'],
    data: { mode: 0o640 },
  },
  {
    setup: [...make('file', 'x'), ['setxattr', 'x', ACCESS_ACL, encodeAcl(NAMED_READER)], ['chmod', 'x', 0o600]],
    as: STRANGER,
    call: ['open', 'x', O_RDONLY],
    error: 'EACCES',
  },
];

const defaultAcls: Check = [
  {
    setup: [
      ...make('directory', 'd'),
      ['setxattr', 'd', DEFAULT_ACL, encodeAcl({ owner: 7, users: { [STRANGER.uid]: 6 }, group: 5, mask: 7, other: 0 })],
    ],
    umask: 0o777,
    call: ['mkdir', 'd/e', 0o777],
    after: { 'd/e': { mode: 0o770 } },
  },
  {
    setup: [
      ...make('directory', 'd'),
      ['setxattr', 'd', DEFAULT_ACL, encodeAcl({ owner: 7, users: { [STRANGER.uid]: 6 }, group: 5, mask: 7, other: 0 })],
      ...make('file', 'd/x', { mode: 0o660 }),
    ],
    as: STRANGER,
    call: ['open', 'd/x', O_RDWR],
  },
  { umask: 0o027, call: ['mkdir', 'e', 0o777], after: { e: { mode: 0o750 } } },
];

const flagsCannotBeCleared: Check = async ({ agent, directory }) => {
  const path = join(directory, 'locked');
  await writeFile(path, 'kept');
  await mustRun('chattr', ['+i', path]);
  expect((await mustRun('lsattr', ['-d', path])).stdout.split(' ')[0]).toBe('----i-----------------');
  expect((await runProgram('chattr', ['-i', path])).exitCode).not.toBe(0);
  const outcomes = await agent.run([
    ['open', path, O_WRONLY],
    ['unlink', path],
  ]);
  expect(outcomes.map(({ error }) => error)).toEqual(['EPERM', 'EPERM']);
};

export const attributeChecks: Checks = {
  'time-range': [0n, 1n, -1n, -SECOND_NS, -315_619_199_999_999_999n, 2n ** 31n * SECOND_NS, MAX_TIME_NS, MIN_TIME_NS].map((ns) =>
    timeIsKept(ns),
  ),
  'time-clamped': [
    timeIsKept(MAX_TIME_NS + 1n, MAX_TIME_NS),
    timeIsKept(13_569_465_600n * SECOND_NS, MAX_TIME_NS),
    timeIsKept(MIN_TIME_NS - 1n, MIN_TIME_NS),
    timeIsKept(-(2n ** 40n) * SECOND_NS, MIN_TIME_NS),
  ],
  'birth-time': birthTimeIsAbsent,
  relatime: [
    { setup: CONTENT, steps: [['open', 'x', O_RDONLY, 0, 'f']], call: ['read', 'f', 5], times: { x: 'a' } },
    { setup: CONTENT, steps: [['tick'], ['open', 'x', O_RDONLY, 0, 'f'], ['read', 'f', 1]], call: ['read', 'f', 1], times: { x: '' } },
    {
      setup: [...CONTENT, ['utimensat', 'x', [at(5000n * SECOND_NS), at(0n)]]],
      steps: [['open', 'x', O_RDONLY, 0, 'f']],
      call: ['read', 'f', 1],
      times: { x: 'a' },
    },
    { setup: make('symlink', 'l'), call: ['readlink', 'l'], times: { l: 'a' } },
  ],
  'atime-cached': [
    {
      setup: CONTENT,
      steps: [['tick'], ['open', 'x', O_RDWR, 0, 'f'], ['read', 'f', 5], ['tick'], ['pwrite', 'f', 'J', 0]],
      call: ['pread', 'f', 5, 0],
      times: { x: '' },
    },
    {
      setup: CONTENT,
      steps: [
        ['tick'],
        ['open', 'x', O_RDWR, 0, 'f'],
        ['read', 'f', 5],
        ['tick'],
        ['pwrite', 'f', 'J', 0],
        ['open', 'x', O_RDONLY, 0, 'g'],
      ],
      call: ['pread', 'g', 5, 0],
      times: { x: 'a' },
    },
  ],
  'atime-options': atimeOptions,
  ctime: [
    ...CTIME_CHANGES.map(([call, moved]) => ({ setup: CONTENT, steps: OPEN, call, times: { x: moved } })),
    { setup: CONTENT, call: ['rename', 'x', 'y'], times: { '.': 'mc' } },
  ],
  'kill-privileges': [
    loses(['pwrite', 'f', 'evil', 0], STRANGER, OPEN),
    loses(['truncate', 'x', 1], STRANGER),
    loses(['fallocate', 'f', 0, 0, 100], STRANGER, OPEN),
    loses(['chown', 'x', MEMBER.uid, MEMBER.gid], undefined),
    {
      setup: make('file', 'x', { owner: OWNER, mode: 0o6777, content: 'program' }),
      steps: OPEN,
      call: ['pwrite', 'f', 'root may', 0],
      after: { x: { mode: 0o6777 } },
    },
    { setup: make('file', 'x', { owner: OWNER, mode: 0o2767 }), call: ['chown', 'x', 1, 1], after: { x: { mode: 0o2767 } } },
  ],
  setgid: [
    {
      setup: make('directory', 'd', { owner: OWNER, mode: 0o2777 }),
      as: STRANGER,
      call: ['mkdir', 'd/e', 0o755],
      after: { 'd/e': { gid: OWNER.gid, mode: 0o2755 } },
    },
    {
      setup: make('directory', 'd', { owner: OWNER, mode: 0o2777 }),
      as: STRANGER,
      call: ['mkfifo', 'd/e', 0o644],
      after: { 'd/e': { gid: OWNER.gid, mode: 0o644 } },
    },
  ],
  sticky: [
    {
      setup: [...make('directory', 'd', { mode: 0o1777 }), ...make('file', 'd/x', { owner: OWNER })],
      as: STRANGER,
      call: ['unlink', 'd/x'],
      error: 'EPERM',
    },
    { setup: [...make('directory', 'd', { mode: 0o1777 }), ...make('file', 'd/x', { owner: OWNER })], as: OWNER, call: ['unlink', 'd/x'] },
  ],
  acl: acls,
  'acl-default': defaultAcls,
  'xattr-namespaces': [
    ...['user.x', 'trusted.x', 'security.x'].map((name) => ({
      setup: make('file', 'x'),
      call: ['setxattr', 'x', name, 'value'] as const,
      times: { x: 'c' },
    })),
    { setup: make('file', 'x'), call: ['setxattr', 'x', 'other.x', 'value'], error: 'EOPNOTSUPP' },
    { setup: make('file', 'x'), as: STRANGER, call: ['setxattr', 'x', 'trusted.x', 'value'], error: 'EPERM' },
    { setup: make('file', 'x'), call: ['setxattr', 'x', 'user.x', 'value', XATTR_REPLACE], error: 'ENODATA' },
    {
      setup: [...make('file', 'x'), ['setxattr', 'x', 'user.x', 'value']],
      call: ['setxattr', 'x', 'user.x', 'value', XATTR_CREATE],
      error: 'EEXIST',
    },
  ],
  'xattr-size': [
    {
      setup: [...make('file', 'x'), ['setxattr', 'x', 'user.x', Buffer.alloc(65_536, 1)]],
      call: ['getxattr', 'x', 'user.x'],
      result: 65_536,
    },
    { setup: make('file', 'x'), call: ['setxattr', 'x', 'user.x', Buffer.alloc(65_537)], error: 'E2BIG' },
  ],
  'flags-immutable': flagsCannotBeCleared,
  'flags-other': [
    { setup: make('file', 'x'), steps: OPEN, call: ['getInodeFlags', 'f'], data: 0 },
    { setup: make('file', 'x'), steps: OPEN, call: ['setInodeFlags', 'f', FS_APPEND_FL], error: 'EOPNOTSUPP' },
    {
      setup: make('file', 'x', { owner: OWNER, mode: 0o666 }),
      as: OWNER,
      steps: OPEN,
      call: ['setInodeFlags', 'f', FS_IMMUTABLE_FL],
      error: 'EPERM',
    },
    { setup: make('file', 'x'), steps: OPEN, call: ['anyIoctl', 'f', 0x1234, 0], error: 'ENOTTY' },
  ],
  'types-kept': FILE_TYPES.map((type) => ({
    setup: make(type, 'x', { mode: 0o640 }),
    call: ['utimensat', 'x', [at(7n), at(9n)], AT_SYMLINK_NOFOLLOW] as const,
    after: { x: { type, atimeNs: 7n, mtimeNs: 9n } },
  })),
};
