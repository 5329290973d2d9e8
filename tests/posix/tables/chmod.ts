/** chmod(2), fchmod(2): POSIX.1-2017 chmod, fchmod; Linux man page for what POSIX leaves open. */
import { O_PATH, O_RDONLY, O_RDWR } from '../../support/syscalls/constants.ts';
import { MEMBER, OWNER, SECOND_GROUP, ROOT, STRANGER } from '../../support/users.ts';
import { MODED_TYPES, make, octal } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const MODES = [0, 0o111, 0o400, 0o644, 0o755, 0o777, 0o1777, 0o2750, 0o4711, 0o6755, 0o7777];

const byRoot: Row[] = MODED_TYPES.flatMap((type) =>
  MODES.map((mode) => ({
    name: `root sets ${octal(mode)} on a ${type}`,
    setup: make(type, 'x', { owner: OWNER, mode: 0o620 }),
    call: ['chmod', 'x', mode],
    after: { x: { type, mode, uid: OWNER.uid, gid: OWNER.gid } },
    times: { x: 'c', '.': '' },
  })),
);

const byOwner: Row[] = MODED_TYPES.flatMap((type) =>
  MODES.map((mode) => ({
    name: `the owner sets ${octal(mode)} on a ${type} of the own group`,
    setup: make(type, 'x', { owner: OWNER, mode: 0o620 }),
    as: OWNER,
    call: ['chmod', 'x', mode],
    after: { x: { type, mode } },
  })),
);

/** POSIX: setgid goes when a caller without privileges is not in the file's group. */
const foreignGroup: Row[] = MODED_TYPES.flatMap((type) =>
  [0o2755, 0o2644, 0o6777].map((mode) => ({
    name: `the owner's ${octal(mode)} loses setgid on a ${type} of a foreign group`,
    setup: make(type, 'x', { owner: { ...OWNER, gid: STRANGER.gid } }),
    as: OWNER,
    call: ['chmod', 'x', mode],
    after: { x: { mode: mode & ~0o2000 } },
  })),
);

const supplementaryGroup: Row[] = MODED_TYPES.map((type) => ({
  name: `the owner's setgid stays on a ${type} of a supplementary group`,
  setup: make(type, 'x', { owner: { ...OWNER, gid: SECOND_GROUP } }),
  as: OWNER,
  call: ['chmod', 'x', 0o2755],
  after: { x: { mode: 0o2755 } },
}));

const byOthers: Row[] = MODED_TYPES.flatMap((type) =>
  [MEMBER, STRANGER].map((user) => ({
    name: `${user === MEMBER ? 'a member of the group' : 'a stranger'} may not change a ${type}`,
    setup: make(type, 'x', { owner: OWNER, mode: 0o777 }),
    as: user,
    call: ['chmod', 'x', 0o700],
    error: 'EPERM',
    after: { x: { mode: 0o777 } },
    times: { x: '' },
  })),
);

const throughDescriptors: Row[] = [
  ...MODES.map((mode): Row => ({
    name: `fchmod sets ${octal(mode)}`,
    setup: make('file', 'x', { owner: OWNER }),
    as: OWNER,
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['fchmod', 'x', mode],
    after: { x: { mode } },
    times: { x: 'c' },
  })),
  {
    name: 'fchmod of a directory works',
    setup: make('directory', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['fchmod', 'x', 0o1700],
    after: { x: { mode: 0o1700 } },
  },
  {
    name: 'fchmod by somebody else is EPERM',
    setup: make('file', 'x', { owner: OWNER, mode: 0o666 }),
    as: STRANGER,
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['fchmod', 'x', 0o600],
    error: 'EPERM',
  },
  {
    name: 'fchmod of an unlinked file works',
    setup: make('file', 'x'),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['unlink', 'x'],
    ],
    call: ['fchmod', 'x', 0o600],
  },
  { name: 'fchmod of a bad descriptor is EBADF', call: ['fchmod', 'none', 0o600], error: 'EBADF' },
  {
    name: 'fchmod through O_PATH is EBADF',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_PATH, 0, 'x']],
    call: ['fchmod', 'x', 0o600],
    error: 'EBADF',
  },
];

const other: Row[] = [
  {
    name: 'a symbolic link is followed',
    setup: [...make('file', 'x', { mode: 0o600 }), ['symlink', 'x', 'l']],
    call: ['chmod', 'l', 0o640],
    after: { x: { mode: 0o640 }, l: { type: 'symlink', mode: 0o777 } },
    times: { x: 'c' },
  },
  { name: 'a dangling link is ENOENT', setup: make('symlink', 'l'), call: ['chmod', 'l', 0o640], error: 'ENOENT' },
  {
    name: 'a change is seen through every hard link',
    setup: [...make('file', 'x'), ['link', 'x', 'y']],
    call: ['chmod', 'y', 0o4701],
    after: { x: { mode: 0o4701, nlink: 2 } },
    times: { x: 'c', y: 'c' },
  },
  {
    name: 'setting the same mode still moves ctime',
    setup: make('file', 'x', { mode: 0o644 }),
    call: ['chmod', 'x', 0o644],
    times: { x: 'c' },
  },
  {
    name: 'the contents stay',
    setup: make('file', 'x', { content: 'hello' }),
    as: ROOT,
    call: ['chmod', 'x', 0o4644],
    contents: { x: 'hello' },
    times: { x: 'c' },
  },
  {
    name: 'the owner may make a file unreadable and still change it back',
    setup: make('file', 'x', { owner: OWNER }),
    as: OWNER,
    steps: [['chmod', 'x', 0]],
    call: ['chmod', 'x', 0o600],
    after: { x: { mode: 0o600 } },
  },
  {
    name: 'an open descriptor outlives the permission to open',
    setup: make('file', 'x', { owner: OWNER, content: 'hello' }),
    as: OWNER,
    steps: [
      ['open', 'x', O_RDONLY, 0, 'x'],
      ['chmod', 'x', 0],
    ],
    call: ['read', 'x', 10],
    text: 'hello',
  },
];

export const chmodTable: Table = {
  name: 'chmod',
  rows: [...byRoot, ...byOwner, ...foreignGroup, ...supplementaryGroup, ...byOthers, ...throughDescriptors, ...other],
};
