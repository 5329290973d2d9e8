/** rename(2), renameat2(2). */
import { O_RDWR, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../support/syscalls/constants.ts';
import type { ErrnoName } from '../../../src/util/errors.ts';
import type { FileType } from '../../support/syscalls/file-attributes.ts';
import { OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, NON_DIRECTORIES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const moving: Row[] = FILE_TYPES.flatMap((type): Row[] => {
  const isDirectory = type === 'directory';
  return [
    {
      name: `a ${type} gets another name`,
      setup: make(type, 'x'),
      call: ['rename', 'x', 'y'],
      after: { x: 'absent', y: { type, nlink: isDirectory ? 2 : 1 } },
      times: { '.': 'mc' },
    },
    {
      name: `a ${type} moves to another directory`,
      setup: [...make('directory', 'a'), ...make('directory', 'b'), ...make(type, 'a/x')],
      call: ['rename', 'a/x', 'b/y'],
      after: { 'a/x': 'absent', 'b/y': { type }, a: { nlink: 2 }, b: { nlink: isDirectory ? 3 : 2 } },
      times: { a: 'mc', b: 'mc', '.': '' },
    },
    {
      name: `a ${type} renamed to itself stays as it is`,
      setup: make(type, 'x'),
      call: ['rename', 'x', 'x'],
      after: { x: { type } },
      times: { x: '', '.': '' },
    },
  ];
});

/** POSIX: a directory replaces only an empty directory, anything else only what is no directory. */
function replacement(from: FileType, to: FileType): { readonly error?: ErrnoName } {
  if (from === 'directory' && to !== 'directory') return { error: 'ENOTDIR' };
  if (from !== 'directory' && to === 'directory') return { error: 'EISDIR' };
  return {};
}

const replacing: Row[] = FILE_TYPES.flatMap((from) =>
  FILE_TYPES.flatMap((to): Row[] => {
    const { error } = replacement(from, to);
    return [
      {
        name: `a ${from} over a ${to}`,
        setup: [...make('directory', 'd'), ...make(from, 'd/x'), ...make(to, 'd/y')],
        call: ['rename', 'd/x', 'd/y'],
        ...(error === undefined
          ? { after: { 'd/x': 'absent', 'd/y': { type: from }, d: { nlink: from === 'directory' ? 3 : 2 } }, times: { d: 'mc' } }
          : { error, after: { 'd/x': { type: from }, 'd/y': { type: to } }, times: { d: '' } }),
      },
      {
        name: `a ${from} over a ${to} of another directory`,
        setup: [...make('directory', 'a'), ...make('directory', 'b'), ...make(from, 'a/x'), ...make(to, 'b/y')],
        call: ['rename', 'a/x', 'b/y'],
        ...(error === undefined
          ? { after: { 'a/x': 'absent', 'b/y': { type: from }, a: { nlink: 2 }, b: { nlink: from === 'directory' ? 3 : 2 } } }
          : { error, after: { 'a/x': { type: from }, 'b/y': { type: to } } }),
      },
      {
        name: `NOREPLACE: a ${from} does not go over a ${to}`,
        setup: [...make(from, 'x'), ...make(to, 'y')],
        call: ['rename', 'x', 'y', RENAME_NOREPLACE],
        error: 'EEXIST',
        after: { x: { type: from }, y: { type: to } },
      },
      {
        name: `EXCHANGE: a ${from} and a ${to} change places`,
        setup: [...make('directory', 'a'), ...make('directory', 'b'), ...make(from, 'a/x'), ...make(to, 'b/y')],
        call: ['rename', 'a/x', 'b/y', RENAME_EXCHANGE],
        after: {
          'a/x': { type: to },
          'b/y': { type: from },
          a: { nlink: to === 'directory' ? 3 : 2 },
          b: { nlink: from === 'directory' ? 3 : 2 },
        },
        times: { a: 'mc', b: 'mc' },
      },
    ];
  }),
);

const replacedLinks: Row[] = [
  {
    name: 'a replaced file with another name loses a link and its ctime moves',
    setup: [...make('file', 'x'), ...make('file', 'y'), ['link', 'y', 'z']],
    call: ['rename', 'x', 'y'],
    after: { z: { nlink: 1 }, y: { nlink: 1 } },
    times: { z: 'c' },
  },
  {
    name: 'two names of one file: rename does nothing and both stay',
    setup: [...make('file', 'x', { content: 'hello' }), ['link', 'x', 'y']],
    call: ['rename', 'x', 'y'],
    after: { x: { nlink: 2 }, y: { nlink: 2 } },
    times: { x: '', '.': '' },
  },
  {
    name: 'the contents come along',
    setup: [...make('file', 'x', { content: 'new' }), ...make('file', 'y', { content: 'old' })],
    call: ['rename', 'x', 'y'],
    contents: { y: 'new' },
  },
  {
    name: 'a file that is replaced while open stays readable',
    setup: [...make('file', 'x', { content: 'new' }), ...make('file', 'y', { content: 'old' })],
    steps: [
      ['open', 'y', O_RDWR, 0, 'y'],
      ['rename', 'x', 'y'],
    ],
    call: ['read', 'y', 10],
    text: 'old',
    contents: { y: 'new' },
  },
  {
    name: 'a descriptor follows its file to the new name',
    setup: make('file', 'x', { content: 'a' }),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['rename', 'x', 'y'],
    ],
    call: ['pwrite', 'x', 'bc', 1],
    contents: { y: 'abc' },
  },
];

const directories: Row[] = [
  ...FILE_TYPES.map((type): Row => ({
    name: `a directory over one with a ${type} in it is ENOTEMPTY`,
    setup: [...make('directory', 'x'), ...make('directory', 'y'), ...make(type, 'y/in')],
    call: ['rename', 'x', 'y'],
    error: 'ENOTEMPTY',
    after: { 'y/in': { type } },
  })),
  {
    name: 'a full directory replaces an empty one',
    setup: [...make('directory', 'x'), ...make('file', 'x/in'), ...make('directory', 'y')],
    call: ['rename', 'x', 'y'],
    after: { 'y/in': { type: 'file' }, x: 'absent' },
  },
  { name: 'a directory can not go into itself', setup: make('directory', 'x'), call: ['rename', 'x', 'x/y'], error: 'EINVAL' },
  {
    name: 'a directory can not go below itself',
    setup: [...make('directory', 'x'), ...make('directory', 'x/y')],
    call: ['rename', 'x', 'x/y/z'],
    error: 'EINVAL',
  },
  {
    name: 'a directory can not replace the one it is in',
    setup: [...make('directory', 'x'), ...make('directory', 'x/y')],
    call: ['rename', 'x/y', 'x'],
    error: 'ENOTEMPTY',
  },
  {
    name: 'EXCHANGE of a directory with its own entry is EINVAL',
    setup: [...make('directory', 'x'), ...make('directory', 'x/y')],
    call: ['rename', 'x', 'x/y', RENAME_EXCHANGE],
    error: 'EINVAL',
  },
  {
    name: '.. of a directory that moved is the new parent',
    setup: [...make('directory', 'a'), ...make('directory', 'b'), ...make('directory', 'a/x'), ...make('file', 'b/sibling')],
    steps: [['rename', 'a/x', 'b/x']],
    call: ['lstat', 'b/x/../sibling'],
    data: { type: 'file' },
  },
  { name: '. can not be renamed', setup: make('directory', 'd'), call: ['rename', 'd/.', 'e'], error: 'EBUSY' },
  {
    name: '.. can not be renamed',
    setup: [...make('directory', 'd'), ...make('directory', 'd/e')],
    call: ['rename', 'd/e/..', 'f'],
    error: 'EBUSY',
  },
  {
    name: 'nothing can be renamed to .',
    setup: [...make('directory', 'd'), ...make('directory', 'e')],
    call: ['rename', 'd', 'e/.'],
    error: 'EBUSY',
  },
  {
    name: 'nothing can be renamed to ..',
    setup: [...make('directory', 'd'), ...make('directory', 'e')],
    call: ['rename', 'd', 'e/..'],
    error: 'EBUSY',
  },
  {
    name: 'a directory may have a slash behind it',
    setup: make('directory', 'd'),
    call: ['rename', 'd/', 'e/'],
    after: { e: { type: 'directory' } },
  },
  { name: 'a file may not have a slash behind it', setup: make('file', 'x'), call: ['rename', 'x/', 'y'], error: 'ENOTDIR' },
  { name: 'a file may not get a slash behind it', setup: make('file', 'x'), call: ['rename', 'x', 'y/'], error: 'ENOTDIR' },
  {
    name: 'a directory of somebody else can not move to another parent: its .. would be written',
    setup: [
      ...make('directory', 'a', { mode: 0o777 }),
      ...make('directory', 'b', { mode: 0o777 }),
      ...make('directory', 'a/x', { owner: STRANGER }),
    ],
    as: OWNER,
    call: ['rename', 'a/x', 'b/x'],
    error: 'EACCES',
  },
  {
    name: 'a directory of somebody else can be renamed where it is',
    setup: [...make('directory', 'a', { mode: 0o777 }), ...make('directory', 'a/x', { owner: STRANGER })],
    as: OWNER,
    call: ['rename', 'a/x', 'a/y'],
  },
  {
    name: 'a link to a directory is no directory',
    setup: [...make('directory', 'd'), ['symlink', 'd', 'l'], ...make('directory', 'e')],
    call: ['rename', 'l', 'e'],
    error: 'EISDIR',
  },
];

const flags: Row[] = [
  ...FILE_TYPES.map((type): Row => ({
    name: `NOREPLACE: a ${type} goes where nothing is`,
    setup: make(type, 'x'),
    call: ['rename', 'x', 'y', RENAME_NOREPLACE],
    after: { x: 'absent', y: { type } },
  })),
  {
    name: 'NOREPLACE: a name to itself is EEXIST',
    setup: make('file', 'x'),
    call: ['rename', 'x', 'x', RENAME_NOREPLACE],
    error: 'EEXIST',
  },
  { name: 'EXCHANGE with nothing is ENOENT', setup: make('file', 'x'), call: ['rename', 'x', 'y', RENAME_EXCHANGE], error: 'ENOENT' },
  {
    name: 'EXCHANGE swaps contents and moves both ctimes',
    setup: [...make('file', 'x', { content: 'of x' }), ...make('file', 'y', { content: 'of y' })],
    call: ['rename', 'x', 'y', RENAME_EXCHANGE],
    contents: { x: 'of y', y: 'of x' },
  },
  {
    name: 'EXCHANGE of full directories works',
    setup: [...make('directory', 'x'), ...make('file', 'x/a'), ...make('directory', 'y'), ...make('file', 'y/b')],
    call: ['rename', 'x', 'y', RENAME_EXCHANGE],
    after: { 'x/b': { type: 'file' }, 'y/a': { type: 'file' }, 'x/a': 'absent' },
  },
  {
    name: 'NOREPLACE and EXCHANGE together are EINVAL',
    setup: [...make('file', 'x'), ...make('file', 'y')],
    call: ['rename', 'x', 'y', RENAME_NOREPLACE | RENAME_EXCHANGE],
    error: 'EINVAL',
  },
  { name: 'an unknown flag is EINVAL', setup: make('file', 'x'), call: ['rename', 'x', 'y', 1 << 20], error: 'EINVAL' },
];

/** The object's ctime itself: POSIX lets it stay, every Linux file system moves it. */
const statusChange: Row[] = NON_DIRECTORIES.map((type) => ({
  name: `the status change time of a ${type} moves`,
  setup: [...make(type, 'x'), ['link', 'x', 'same']],
  call: ['rename', 'x', 'y'],
  times: { same: 'c' },
}));

export const renameTable: Table = {
  name: 'rename',
  rows: [...moving, ...replacing, ...replacedLinks, ...directories, ...flags, ...statusChange],
};
