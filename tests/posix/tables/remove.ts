/** unlink(2) and rmdir(2), and link(2), which unlink undoes. */
import { AT_SYMLINK_FOLLOW, O_RDWR } from '../../support/syscalls/constants.ts';
import { MEMBER, OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, NON_DIRECTORIES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const unlinking: Row[] = [
  ...NON_DIRECTORIES.flatMap((type): Row[] => [
    {
      name: `unlink removes a ${type}`,
      setup: make(type, 'x'),
      call: ['unlink', 'x'],
      after: { x: 'absent' },
      times: { '.': 'mc' },
    },
    {
      name: `unlink of one of two names of a ${type} leaves the other, whose ctime moves`,
      setup: [...make(type, 'x'), ['link', 'x', 'y']],
      call: ['unlink', 'x'],
      after: { x: 'absent', y: { type, nlink: 1 } },
      times: { y: 'c', '.': 'mc' },
    },
    {
      name: `unlink needs no right to a ${type} itself`,
      setup: [['chmod', '.', 0o777], ...make(type, 'x', { owner: OWNER, mode: 0 })],
      as: STRANGER,
      call: ['unlink', 'x'],
      after: { x: 'absent' },
    },
    { name: `rmdir of a ${type} is ENOTDIR`, setup: make(type, 'x'), call: ['rmdir', 'x'], error: 'ENOTDIR', after: { x: { type } } },
  ]),
  { name: 'unlink of a directory is EISDIR', setup: make('directory', 'x'), call: ['unlink', 'x'], error: 'EISDIR' },
  {
    name: 'unlink of a directory by its owner is EISDIR',
    setup: [['chmod', '.', 0o777], ...make('directory', 'x', { owner: OWNER })],
    as: OWNER,
    call: ['unlink', 'x'],
    error: 'EISDIR',
  },
  { name: 'unlink of . is EISDIR', call: ['unlink', '.'], error: 'EISDIR' },
  { name: 'unlink of .. is EISDIR', call: ['unlink', '..'], error: 'EISDIR' },
  {
    name: 'unlink of a link with a slash behind is ENOTDIR',
    setup: [...make('directory', 'd'), ['symlink', 'd', 'l']],
    call: ['unlink', 'l/'],
    error: 'ENOTDIR',
  },
  {
    name: 'unlink removes a link, not what it names',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['unlink', 'l'],
    after: { l: 'absent', x: { nlink: 1 } },
    times: { x: '' },
  },
  {
    name: 'an open file that is unlinked has link count 0',
    setup: make('file', 'x'),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['unlink', 'x'],
    ],
    call: ['fstat', 'x'],
    data: { nlink: 0 },
  },
  {
    name: 'a name can be used again while the old file is open',
    setup: make('file', 'x', { content: 'old' }),
    steps: [['open', 'x', O_RDWR, 0, 'x'], ['unlink', 'x'], ...make('file', 'x', { content: 'newer' })],
    call: ['read', 'x', 10],
    text: 'old',
    contents: { x: 'newer' },
  },
];

const removingDirectories: Row[] = [
  {
    name: 'rmdir removes an empty directory and lowers the link count of its parent',
    setup: [...make('directory', 'd'), ...make('directory', 'd/x')],
    call: ['rmdir', 'd/x'],
    after: { 'd/x': 'absent', d: { nlink: 2 } },
    times: { d: 'mc', '.': '' },
  },
  ...FILE_TYPES.map((type): Row => ({
    name: `rmdir of a directory with a ${type} in it is ENOTEMPTY`,
    setup: [...make('directory', 'd'), ...make(type, 'd/x')],
    call: ['rmdir', 'd'],
    error: 'ENOTEMPTY',
    after: { 'd/x': { type } },
    times: { d: '' },
  })),
  { name: 'rmdir of . is EINVAL', setup: make('directory', 'd'), call: ['rmdir', 'd/.'], error: 'EINVAL' },
  {
    name: 'rmdir of .. is ENOTEMPTY',
    setup: [...make('directory', 'd'), ...make('directory', 'd/e')],
    call: ['rmdir', 'd/e/..'],
    error: 'ENOTEMPTY',
  },
  { name: 'rmdir with a slash behind the name works', setup: make('directory', 'd'), call: ['rmdir', 'd/'], after: { d: 'absent' } },
  {
    name: 'rmdir of a link to a directory is ENOTDIR',
    setup: [...make('directory', 'd'), ['symlink', 'd', 'l']],
    call: ['rmdir', 'l'],
    error: 'ENOTDIR',
  },
  {
    name: 'rmdir works when the last entry went',
    setup: [...make('directory', 'd'), ...make('file', 'd/x'), ['unlink', 'd/x']],
    call: ['rmdir', 'd'],
    after: { d: 'absent' },
  },
  {
    name: 'rmdir needs no right to the directory itself',
    setup: [['chmod', '.', 0o777], ...make('directory', 'd', { mode: 0, owner: OWNER })],
    as: STRANGER,
    call: ['rmdir', 'd'],
  },
];

const linking: Row[] = [
  ...NON_DIRECTORIES.flatMap((type): Row[] => [
    {
      name: `link gives a ${type} a second name`,
      setup: make(type, 'x'),
      call: ['link', 'x', 'y'],
      after: { x: { type, nlink: 2 }, y: { type, nlink: 2 } },
      times: { x: 'c', '.': 'mc' },
    },
    ...FILE_TYPES.map((existing): Row => ({
      name: `link of a ${type} over a ${existing} is EEXIST`,
      setup: [...make(type, 'x'), ...make(existing, 'y')],
      call: ['link', 'x', 'y'],
      error: 'EEXIST',
      after: { x: { nlink: 1 } },
      times: { x: '' },
    })),
    {
      name: `link into another directory moves that directory's times for a ${type}`,
      setup: [...make(type, 'x'), ...make('directory', 'd')],
      call: ['link', 'x', 'd/y'],
      times: { d: 'mc', x: 'c', '.': '' },
    },
  ]),
  { name: 'link of a directory is EPERM', setup: make('directory', 'd'), call: ['link', 'd', 'e'], error: 'EPERM' },
  {
    name: 'link of a directory by its owner is EPERM',
    setup: [['chmod', '.', 0o777], ...make('directory', 'd', { owner: OWNER })],
    as: OWNER,
    call: ['link', 'd', 'e'],
    error: 'EPERM',
  },
  { name: 'link to a name with a slash behind is ENOENT', setup: make('file', 'x'), call: ['link', 'x', 'y/'], error: 'ENOENT' },
  {
    name: 'link names the symbolic link itself',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['link', 'l', 'm'],
    after: { m: { type: 'symlink', nlink: 2 }, x: { nlink: 1 } },
  },
  {
    name: 'link with AT_SYMLINK_FOLLOW names what the link names',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['link', 'l', 'm', AT_SYMLINK_FOLLOW],
    after: { m: { type: 'file', nlink: 2 }, l: { nlink: 1 } },
  },
  { name: 'link with an unknown flag is EINVAL', setup: make('file', 'x'), call: ['link', 'x', 'y', 0x40], error: 'EINVAL' },
  {
    name: 'what is written through one name is read through the other',
    setup: [...make('file', 'x', { content: 'before' }), ['link', 'x', 'y']],
    steps: [
      ['open', 'y', O_RDWR, 0, 'y'],
      ['write', 'y', 'behind'],
    ],
    call: ['stat', 'x'],
    data: { nlink: 2, size: 6n },
    contents: { x: 'behind' },
  },
];

/** A sticky directory: only the owner of the entry's object, of the directory, and root may remove or rename. */
const STICKY_CASES = [
  { who: 'a stranger', directory: OWNER, object: OWNER, user: STRANGER, allowed: false },
  { who: 'a member of the group', directory: OWNER, object: OWNER, user: MEMBER, allowed: false },
  { who: "the object's owner", directory: OWNER, object: MEMBER, user: MEMBER, allowed: true },
  { who: "the directory's owner", directory: MEMBER, object: OWNER, user: MEMBER, allowed: true },
  { who: 'the owner of both', directory: OWNER, object: OWNER, user: OWNER, allowed: true },
] as const;

const sticky: Row[] = STICKY_CASES.flatMap(({ who, directory, object, user, allowed }) =>
  FILE_TYPES.flatMap((type): Row[] => {
    const setup = [...make('directory', 'd', { owner: directory, mode: 0o1777 }), ...make(type, 'd/x', { owner: object, mode: 0o777 })];
    const verdict = allowed ? {} : ({ error: 'EPERM' } as const);
    return [
      { name: `sticky: ${who} removes a ${type}`, setup, as: user, call: [type === 'directory' ? 'rmdir' : 'unlink', 'd/x'], ...verdict },
      { name: `sticky: ${who} renames a ${type}`, setup, as: user, call: ['rename', 'd/x', 'd/y'], ...verdict },
      {
        name: `sticky: ${who} renames something over a ${type}`,
        setup: [...setup, ...make(type, 'd/own', { owner: user })],
        as: user,
        call: ['rename', 'd/own', 'd/x'],
        ...verdict,
      },
    ];
  }),
);

export const removeTable: Table = { name: 'link, unlink and rmdir', rows: [...unlinking, ...removingDirectories, ...linking, ...sticky] };
