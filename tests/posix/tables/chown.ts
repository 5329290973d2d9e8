/** chown(2), lchown(2), fchown(2). A change of owner takes setuid and setgid away from what can be executed; Linux does that for root too. */
import { O_RDONLY, O_RDWR } from '../../support/syscalls/constants.ts';
import { type Credentials, MEMBER, OWNER, SECOND_GROUP, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, MODED_TYPES, NON_DIRECTORIES, make, octal } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const byRoot: Row[] = FILE_TYPES.flatMap((type) =>
  (
    [
      [1, 2],
      [-1, 7],
      [7, -1],
      [0, 0],
      [65_534, 65_534],
      [4_000_000_000 | 0, 3_000_000_000 | 0],
    ] as const
  ).map(([uid, gid]) => ({
    name: `root gives a ${type} to ${uid}:${gid}`,
    setup: make(type, 'x', { owner: OWNER }),
    call: ['lchown', 'x', uid, gid],
    after: { x: { type, uid: uid === -1 ? OWNER.uid : uid >>> 0, gid: gid === -1 ? OWNER.gid : gid >>> 0 } },
    times: { x: 'c', '.': '' },
  })),
);

const byOwner: Row[] = FILE_TYPES.flatMap((type): Row[] => [
  {
    name: `the owner gives a ${type} to a group of the own`,
    setup: make(type, 'x', { owner: OWNER }),
    as: OWNER,
    call: ['lchown', 'x', -1, SECOND_GROUP],
    after: { x: { uid: OWNER.uid, gid: SECOND_GROUP } },
    times: { x: 'c' },
  },
  {
    name: `the owner names the own uid and a group of the own on a ${type}`,
    setup: make(type, 'x', { owner: { ...OWNER, gid: SECOND_GROUP } }),
    as: OWNER,
    call: ['lchown', 'x', OWNER.uid, OWNER.gid],
    after: { x: { uid: OWNER.uid, gid: OWNER.gid } },
  },
  {
    name: `the owner may not give a ${type} to a foreign group`,
    setup: make(type, 'x', { owner: OWNER }),
    as: OWNER,
    call: ['lchown', 'x', -1, STRANGER.gid],
    error: 'EPERM',
    after: { x: { gid: OWNER.gid } },
    times: { x: '' },
  },
  {
    name: `the owner may not give a ${type} away`,
    setup: make(type, 'x', { owner: OWNER }),
    as: OWNER,
    call: ['lchown', 'x', STRANGER.uid, -1],
    error: 'EPERM',
    after: { x: { uid: OWNER.uid } },
  },
]);

function notByOthers(user: Credentials, who: string): Row[] {
  return FILE_TYPES.flatMap((type): Row[] =>
    (
      [
        [user.uid, user.gid],
        [-1, user.gid],
        [user.uid, -1],
      ] as const
    ).map(([uid, gid]) => ({
      name: `${who} may not take a ${type} (${uid}:${gid})`,
      setup: make(type, 'x', { owner: OWNER, mode: 0o777 }),
      as: user,
      call: ['lchown', 'x', uid, gid],
      error: 'EPERM',
      after: { x: { uid: OWNER.uid, gid: OWNER.gid } },
      times: { x: '' },
    })),
  );
}

/** Which special bits survive on a regular file: setgid without group execution is no privilege, but a lock mode of old. */
const SPECIAL_MODES: ReadonlyArray<readonly [before: number, after: number]> = [
  [0o4755, 0o755],
  [0o2755, 0o755],
  [0o6755, 0o755],
  [0o7777, 0o1777],
  [0o4644, 0o644],
  [0o1755, 0o1755],
  [0o755, 0o755],
];

const killed: Row[] = SPECIAL_MODES.flatMap(([before, after]): Row[] => [
  {
    name: `a file of mode ${octal(before)} that root gives away has ${octal(after)}`,
    setup: make('file', 'x', { mode: before }),
    call: ['chown', 'x', OWNER.uid, OWNER.gid],
    after: { x: { mode: after } },
  },
  {
    name: `a file of mode ${octal(before)} whose owner changes its group has ${octal(after)}`,
    setup: make('file', 'x', { owner: OWNER, mode: before }),
    as: OWNER,
    call: ['chown', 'x', -1, SECOND_GROUP],
    after: { x: { mode: after, gid: SECOND_GROUP } },
  },
  {
    name: `a directory of mode ${octal(before)} that root gives away keeps it`,
    setup: make('directory', 'x', { mode: before }),
    call: ['chown', 'x', OWNER.uid, OWNER.gid],
    after: { x: { mode: before } },
  },
  {
    name: `a file of mode ${octal(before)} given to nobody new by its owner has ${octal(after)}`,
    setup: make('file', 'x', { owner: OWNER, mode: before }),
    as: OWNER,
    call: ['chown', 'x', OWNER.uid, OWNER.gid],
    after: { x: { mode: after } },
  },
]);

const followed: Row[] = [
  ...MODED_TYPES.map((type): Row => ({
    name: `chown follows a link to a ${type}`,
    setup: [...make(type, 'x'), ['symlink', 'x', 'l']],
    call: ['chown', 'l', 5, 6],
    after: { x: { uid: 5, gid: 6 }, l: { uid: 0, gid: 0 } },
    times: { x: 'c' },
  })),
  ...MODED_TYPES.map((type): Row => ({
    name: `lchown changes the link to a ${type} itself`,
    setup: [...make(type, 'x'), ['symlink', 'x', 'l']],
    call: ['lchown', 'l', 5, 6],
    after: { x: { uid: 0, gid: 0 }, l: { uid: 5, gid: 6, type: 'symlink' } },
    times: { x: '', l: 'c' },
  })),
  { name: 'chown of a dangling link is ENOENT', setup: make('symlink', 'l'), call: ['chown', 'l', 5, 6], error: 'ENOENT' },
];

const nothing: Row[] = [
  ...NON_DIRECTORIES.map((type): Row => ({
    name: `a change of nothing on a ${type} by its owner succeeds`,
    setup: make(type, 'x', { owner: OWNER }),
    as: OWNER,
    call: ['lchown', 'x', -1, -1],
    after: { x: { uid: OWNER.uid, gid: OWNER.gid } },
  })),
  {
    name: 'ids that stay the same still move ctime',
    setup: make('file', 'x', { owner: OWNER }),
    call: ['chown', 'x', OWNER.uid, OWNER.gid],
    times: { x: 'c' },
  },
];

const throughDescriptors: Row[] = [
  {
    name: 'fchown by root',
    setup: make('file', 'x', { mode: 0o4755 }),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['fchown', 'x', 11, 12],
    after: { x: { uid: 11, gid: 12, mode: 0o755 } },
    times: { x: 'c' },
  },
  {
    name: 'fchown to a group of the own',
    setup: make('file', 'x', { owner: OWNER }),
    as: OWNER,
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['fchown', 'x', -1, SECOND_GROUP],
    after: { x: { gid: SECOND_GROUP } },
  },
  {
    name: 'fchown by somebody else is EPERM',
    setup: make('file', 'x', { owner: OWNER, mode: 0o666 }),
    as: STRANGER,
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['fchown', 'x', STRANGER.uid, -1],
    error: 'EPERM',
  },
  { name: 'fchown of a bad descriptor is EBADF', call: ['fchown', 'none', 1, 1], error: 'EBADF' },
];

export const chownTable: Table = {
  name: 'chown',
  rows: [
    ...byRoot,
    ...byOwner,
    ...notByOthers(MEMBER, 'a member of the group'),
    ...notByOthers(STRANGER, 'a stranger'),
    ...killed,
    ...followed,
    ...nothing,
    ...throughDescriptors,
  ],
};
